import { dirname } from 'node:path';
import { statusDescriptor } from './status-line.js';
import type { SystemTools } from './tools.js';
import type { Surroundings } from './ways.js';

/** /tmp and /dev/shm, bytes each; files there are memory. */
const memoryDiskBytes = 256 * 2 ** 20;

/** Programs and libraries of the machine: links into /usr on most, folders of their own on some. */
const programs = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/opt', '/nix/store'];

/** What programs read of /etc: nothing that is of this machine alone. */
const settings = [
  'alternatives',
  'ca-certificates',
  'fonts',
  'group',
  'hosts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'locale.alias',
  'localtime',
  'magic',
  'mime.types',
  'nsswitch.conf',
  'passwd',
  'pki',
  'protocols',
  'services',
  'ssl/certs',
  'ssl/openssl.cnf',
  'timezone',
].map((name) => `/etc/${name}`);

const resolver = ['/etc/resolv.conf', '/run/systemd/resolve'];

/** Folders that are there without being made. */
const made = new Set(['/', '/tmp', '/usr', '/dev', '/proc']);

const processors = '/sys/devices/system/cpu';

/**
 * Namespaces of every kind, and a file system that consists of the system's programs, of what
 * the run may read, and of its own folder. The paths are those of the machine, so that
 * command lines and reports mean the same on both sides.
 *
 * With a user of its own the run comes from root: bubblewrap mounts as root, keeps what a
 * change of user needs, and the engine keeps nothing. Otherwise a user namespace stands for
 * root, and the engine can make no further one.
 */
export function bubblewrap(tools: SystemTools, around: Surroundings): string[] | undefined {
  if (!tools.bubblewrap) return undefined;
  const { cwd, folder, writable, readable, network, hasUser } = around;
  const size = ['--size', String(memoryDiskBytes), '--perms', '1777'];
  const own = folder === undefined ? [] : [folder];
  const ofSystem = [...programs, ...settings, ...(network ? resolver : []), processors];
  return [
    tools.bubblewrap,
    ...['--die-with-parent', '--new-session', '--json-status-fd', String(statusDescriptor)],
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(network ? [] : ['--unshare-net']),
    ...(hasUser ? rootThatChangesUser : ['--unshare-user', '--disable-userns']),
    ...['--ro-bind', '/usr', '/usr'],
    ...foldersAbove(ofSystem).flatMap(passable),
    ...ofSystem.flatMap(readOnly),
    ...['--dev', '/dev', ...size, '--tmpfs', '/dev/shm'],
    ...['--proc', '/proc', ...size, '--tmpfs', '/tmp'],
    ...foldersAbove([...readable, ...own]).flatMap(passable),
    ...readable.flatMap(readOnly),
    ...(folder === undefined ? [] : ['--ro-bind', folder, folder]),
    ...writable.flatMap((path) => ['--bind', path, path]),
    ...['--remount-ro', '/', '--chdir', cwd, '--'],
  ];
}

const rootThatChangesUser = [
  '--cap-drop',
  'ALL',
  ...['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'].flatMap((name) => ['--cap-add', name]),
];

/** Otherwise bubblewrap makes the folder so that only root passes through. */
const passable = (path: string) => ['--perms', '0755', '--dir', path];

const readOnly = (path: string) => ['--ro-bind-try', path, path];

/** The folders that lead to these, from above. */
function foldersAbove(paths: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    for (let above = dirname(path); !made.has(above); above = dirname(above)) found.add(above);
  }
  return [...found].sort();
}
