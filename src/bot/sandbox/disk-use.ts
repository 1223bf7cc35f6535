import { lstat, opendir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../core/clock.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';

/** A file takes this much at least, so that empty ones cannot be made without end, bytes. */
const leastFileBytes = 4096;
/** From one look at the free space to the next, milliseconds. */
const intervalMs = 1000;
/** From one count of the files to the next where the free space says nothing, milliseconds. */
const countEveryMs = 10_000;
/** Of the time, at most one part in so many goes into counting. */
const idleShare = 50;

/**
 * Space that the files in a folder take, without those that have a second name elsewhere: they
 * are in a cache, and counted there.
 *
 * @returns a figure above `enoughBytes` as soon as there is that much
 */
export async function usedBytes(folder: string, enoughBytes: number): Promise<number> {
  let sum = 0;
  const left = [folder];
  for (let path = left.pop(); path !== undefined && sum <= enoughBytes; path = left.pop()) {
    const entries = await opendir(path).catch(() => undefined);
    if (!entries) continue; // removed meanwhile
    for await (const entry of entries) {
      const name = join(path, entry.name);
      if (entry.isDirectory()) left.push(name);
      const found = await lstat(name).catch(() => undefined);
      if (!found || (found.nlink > 1 && found.isFile())) continue;
      sum += Math.max(found.blocks * 512, leastFileBytes);
      if (sum > enoughBytes) break;
    }
  }
  return sum;
}

/**
 * Looks how much a run's folder takes, and calls `onFull` once when that is more than it may.
 * Files are counted when the disk has lost an eighth of the bound, and now and then besides.
 */
export function watchDisk(options: {
  folder: string;
  boundBytes: number;
  onFull: () => void;
  log: Logger;
}): PeriodicTask {
  const { folder, boundBytes, onFull, log } = options;
  let freeBytes = Number.POSITIVE_INFINITY;
  let countAgainAtMs = systemClock.monotonic() + intervalMs;
  let isFull = false;
  const work = async () => {
    if (isFull) return;
    const disk = await statfs(folder);
    const nowFreeBytes = disk.bavail * disk.bsize;
    const isShrinking = freeBytes - nowFreeBytes > boundBytes / 8;
    if (freeBytes === Number.POSITIVE_INFINITY) freeBytes = nowFreeBytes;
    if (!isShrinking && systemClock.monotonic() < countAgainAtMs) return;
    freeBytes = nowFreeBytes;
    const startedAtMs = systemClock.monotonic();
    isFull = (await usedBytes(folder, boundBytes)) > boundBytes;
    const endedAtMs = systemClock.monotonic();
    countAgainAtMs = endedAtMs + Math.max(countEveryMs, (endedAtMs - startedAtMs) * idleShare);
    if (isFull) onFull();
  };
  const name = "a look at a run's disk space";
  return new PeriodicTask({ clock: systemClock, log, intervalMs, name, work });
}
