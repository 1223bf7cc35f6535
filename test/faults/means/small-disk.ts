import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atEnd, temporaryFolder } from '../../endings.js';

/** A folder with so much room; undefined where this user may not mount one. */
export function smallDisk(mib: number): string | undefined {
  const folder = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', folder], {
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  atEnd(() => execFileSync('umount', ['-l', folder]));
  return folder;
}

export const noSmallDisk = 'this user may not mount a tmpfs';

export function freeOf(disk: string): number {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}

/** Fills the disk until so much is left. @returns what empties it again */
export function fill(disk: string, leftBytes: number): () => void {
  const path = join(disk, `filler-${leftBytes}`);
  try {
    writeFileSync(path, Buffer.alloc(Math.max(0, freeOf(disk) - leftBytes)));
  } catch {
    // as much as there was room for
  }
  return () => rmSync(path, { force: true });
}
