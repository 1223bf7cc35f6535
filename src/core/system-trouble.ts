import { codeOf, messageOf } from './errors.js';
import { fileProblem } from './folders.js';

/** Troubles that are not about one file. */
const ofTheMachine: Readonly<Record<string, string>> = {
  EMFILE: 'this process has too many open files: raise the limit (ulimit -n)',
  ENFILE: 'this machine has too many open files: close some programs',
  ENOMEM: 'this machine has no memory left: end some programs',
  EAGAIN: 'this machine starts no further process: see "ulimit -u", or end some programs',
};

/** Troubles of reading and writing a file; those of making a folder are in folders.ts. */
const ofAFile: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder: check the path',
  EISDIR: "it is a folder: give a file's name",
  ELOOP: 'it leads through too many symbolic links: check the path',
  EFBIG: 'it has grown past the largest size of a file here: see "ulimit -f"',
};

/**
 * An error of the surroundings (disk, permissions, limits) in words, with the remedy.
 *
 * @returns undefined for any other error
 */
export function troubleOf(error: unknown): string | undefined {
  const code = codeOf(error) ?? '';
  const words = ofTheMachine[code] ?? ofAFile[code] ?? fileProblem(error);
  return words === messageOf(error) ? undefined : words;
}

/** The same after the path that the error names, where it names one. */
export function describeTrouble(error: unknown): string | undefined {
  const trouble = troubleOf(error);
  const path = trouble && pathOf(error as object);
  return path ? `${path}: ${trouble}` : trouble;
}

function pathOf(error: { dest?: unknown; path?: unknown }): string | undefined {
  for (const path of [error.dest, error.path]) {
    if (typeof path === 'string' && path !== '') return path;
  }
  return undefined;
}
