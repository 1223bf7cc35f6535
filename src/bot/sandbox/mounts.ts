/** One cgroup hierarchy of the machine, and where this process is in it. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** Controllers of a version 1 hierarchy; those of version 2 are in a file. */
  readonly controllers: readonly string[];
  /** Folder of this process's own cgroup, or of the root of what is mounted. */
  readonly folder: string;
}

/**
 * Cgroup hierarchies by their mounts: machines have version 2, several of version 1, or both.
 *
 * @param mountinfo content of /proc/self/mountinfo
 * @param cgroup content of /proc/self/cgroup
 */
export function hierarchies(mountinfo: string, cgroup: string): Hierarchy[] {
  const own = ownPaths(cgroup);
  return mountinfo.split('\n').flatMap((line): Hierarchy[] => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '', point = ''] = before.split(' ').map(unescaped);
    const [type, , options = ''] = after.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') return [];
    const controllers = type === 'cgroup' ? options.split(',').filter((name) => name !== 'rw') : [];
    const path = own.get(type === 'cgroup2' ? '' : (controllers[0] ?? '')) ?? '/';
    const version = type === 'cgroup2' ? 2 : 1;
    return [{ version, controllers, folder: point + below(root, path) }];
  });
}

/** Paths of this process by controller; '' for version 2. */
function ownPaths(cgroup: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of cgroup.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const name of controllers.split(',')) paths.set(name, path);
  }
  return paths;
}

/** The part of a path below the root of a mount; '' where it lies outside, as in some containers. */
function below(root: string, path: string): string {
  if (path === '/' || path.split('/').includes('..')) return '';
  if (root === '/') return path;
  return path.startsWith(`${root}/`) ? path.slice(root.length) : '';
}

/** mountinfo writes spaces, tabs, line ends and backslashes as "\040". */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
