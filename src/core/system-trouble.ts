import { codeOf } from './errors.js';

/**
 * Errors of the operating system in words: trouble and remedy. `path` is the file or
 * folder, in words where it is unknown.
 */
const troubles: Readonly<Record<string, (path: string) => string>> = {
  ENOSPC: (path) => `the disk of ${path} is full: free some room there`,
  EDQUOT: (path) => `the disk quota of ${path} is used up: free some room, or raise the quota`,
  EACCES: (path) => `no permission for ${path}: change its owner or mode, or choose another path`,
  EPERM: (path) => `the system does not allow this with ${path}: choose another path`,
  EROFS: (path) => `${path} is on a read-only file system: choose another path`,
  ENOENT: (path) => `${path} does not exist, or cannot be made there: check the path`,
  ENOTDIR: (path) => `a part of ${path} is a file, not a folder: check the path`,
  EISDIR: (path) => `${path} is a folder: give a file's name`,
  EEXIST: (path) => `${path} is a file: name a folder`,
  ENAMETOOLONG: (path) => `${path} is too long a name for the file system: choose a shorter one`,
  ELOOP: (path) => `${path} leads through too many symbolic links: check the path`,
  EFBIG: (path) => `${path} has grown past the largest size of a file here: see "ulimit -f"`,
  EIO: (path) => `the disk of ${path} reports an error: check the disk and the kernel's log`,
  EMFILE: () => 'this process has too many open files: raise the limit (ulimit -n)',
  ENFILE: () => 'this machine has too many open files: close some programs',
  ENOMEM: () => 'this machine has no memory left: end some programs',
  EAGAIN: () => 'this machine starts no further process: see "ulimit -u", or end some programs',
};

/**
 * An error of the surroundings (disk, permissions, limits) as one line for a person.
 *
 * @param path used where the error itself names none
 * @returns undefined for any other error
 */
export function describeTrouble(error: unknown, path?: string): string | undefined {
  const code = codeOf(error);
  const describe = code === undefined ? undefined : troubles[code];
  return describe?.(path ?? pathOf(error as object) ?? 'the file in use');
}

function pathOf(error: { dest?: unknown; path?: unknown }): string | undefined {
  for (const path of [error.dest, error.path]) {
    if (typeof path === 'string' && path !== '') return path;
  }
  return undefined;
}
