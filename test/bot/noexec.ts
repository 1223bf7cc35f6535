import { execFileSync } from 'node:child_process';
import { atEnd, temporaryFolder } from '../harness.js';

/** A folder in which nothing may be executed; undefined where this user may not mount one. */
export function noexecFolder(): string | undefined {
  const folder = temporaryFolder();
  try {
    const options = ['-t', 'tmpfs', '-o', 'noexec,size=600m', 'tmpfs', folder];
    execFileSync('mount', options, { stdio: 'ignore' });
  } catch {
    console.warn('not tested: a folder mounted noexec, as this user may not mount a tmpfs');
    return undefined;
  }
  atEnd(() => execFileSync('umount', ['-l', folder]));
  return folder;
}

/** Allows it after all. */
export const remountExec = (folder: string): void => {
  execFileSync('mount', ['-o', 'remount,exec', folder]);
};
