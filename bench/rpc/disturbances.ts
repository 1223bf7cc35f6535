import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isCancelled } from '../../src/client/failure.js';
import { downloadBackup } from '../../src/client/transfer.js';
import type { Stocked } from './stocked.js';

/** What goes on beside the load. @returns what to tell of it */
export type Disturbance = <T>(
  stocked: Stocked,
  work: () => Promise<T>,
) => Promise<{ result: T; about: string }>;

export const nothing: Disturbance = async (_, work) => ({ result: await work(), about: '' });

/** Another process holds the write lock, as an operator's sqlite3 shell may. */
export const heldLock: Disturbance = async ({ databasePath }, work) => {
  const program = fileURLToPath(new URL('./hold-lock.js', import.meta.url));
  const holder = fork(program, [databasePath]);
  const [told] = await Promise.race([once(holder, 'message'), once(holder, 'exit')]);
  if (told !== 'locked') throw new Error('the lock of the database could not be had');
  const since = performance.now();
  try {
    const result = await work();
    return { result, about: `held for ${seconds(since)}` };
  } finally {
    holder.send('let go');
    await once(holder, 'exit');
  }
};

/** Copies of the database are made and downloaded, one after the other. */
export const backups: Disturbance = async ({ connection, folder }, work) => {
  const over = new AbortController();
  const [sizesMib, since]: [number[], number] = [[], performance.now()];
  const { signal } = over;
  const copying = (async () => {
    while (!signal.aborted) {
      const { sizeBytes } = await downloadBackup(connection, join(folder, 'copy'), { signal });
      sizesMib.push(sizeBytes / 2 ** 20);
    }
  })().catch((error) => {
    if (!isCancelled(error)) throw error;
  });
  try {
    const result = await work();
    const done = `${sizesMib.length} whole${sizesMib[0] ? ` of ${sizesMib[0].toFixed(0)} MiB` : ''}`;
    return { result, about: `backups for ${seconds(since)}, ${done}, and one under way` };
  } finally {
    over.abort();
    await copying;
  }
};

const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
