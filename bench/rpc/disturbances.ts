import { join } from 'node:path';
import Database from 'better-sqlite3';
import { isCancelled } from '../../src/client/failure.js';
import { downloadBackup } from '../../src/client/transfer.js';
import type { Stage } from '../stage.js';

/** Does something beside the work. */
export type Disturbance = <T>(stage: Stage, work: () => Promise<T>) => Promise<T>;

export const nothing: Disturbance = (_, work) => work();

/** This process holds the write lock, as an operator's sqlite3 shell may. */
export const heldLock: Disturbance = async ({ master }, work) => {
  const db = new Database(join(master.directory, 'pandafuzz.db'), { timeout: 10_000 });
  db.exec('BEGIN IMMEDIATE');
  try {
    return await work();
  } finally {
    db.exec('COMMIT');
    db.close();
  }
};

/** Copies of the database are made and downloaded, one after the other. */
export const backups: Disturbance = async ({ bench, connection }, work) => {
  const over = new AbortController();
  const path = join(bench.folder(), 'copy');
  const copy = async () => {
    while (!over.signal.aborted) await downloadBackup(connection, path, { signal: over.signal });
  };
  const copying = copy().catch((error) => {
    if (!isCancelled(error)) throw error;
  });
  try {
    return await work();
  } finally {
    over.abort();
    await copying;
  }
};
