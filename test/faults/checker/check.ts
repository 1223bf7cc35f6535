import { join } from 'node:path';
import Database from 'better-sqlite3';
import { messageOf } from '../../../src/core/errors.js';
import type { Operation } from '../history/operation.js';
import { ghostWrites } from './asked.js';
import { badBlobs } from './blobs.js';
import { wrongCounters } from './counters.js';
import type { Evidence, Gap, Violation } from './evidence.js';
import { lostWrites } from './kept.js';
import { doubleLeases } from './leases.js';
import { doubledWrites } from './once.js';
import { disorder } from './order.js';

const rules = [
  lostWrites,
  doubledWrites,
  ghostWrites,
  disorder,
  doubleLeases,
  wrongCounters,
  badBlobs,
  damage,
];

/**
 * Judges what a load was told by what its master left on disk.
 *
 * @param directory data folder of a master that has ended
 */
export function check(operations: readonly Operation[], directory: string, gap?: Gap): Violation[] {
  // Not read-only: SQLite recovers the log of a master that was killed.
  const database = new Database(join(directory, 'pandafuzz.db'), { fileMustExist: true });
  try {
    const evidence = { operations, database, blobs: join(directory, 'blobs'), ...(gap && { gap }) };
    return rules.flatMap((rule) => {
      try {
        return rule(evidence);
      } catch (error) {
        return [{ rule: 'database', what: messageOf(error) }];
      }
    });
  } finally {
    database.close();
  }
}

/** SQLite's own checks. */
function damage({ database }: Evidence): Violation[] {
  const answers = database.pragma('integrity_check') as { integrity_check: string }[];
  const broken = answers
    .filter(({ integrity_check }) => integrity_check !== 'ok')
    .map(({ integrity_check }) => integrity_check);
  const orphans = (database.pragma('foreign_key_check') as { table: string; rowid: number }[]).map(
    ({ table, rowid }) => `row ${rowid} of ${table} refers to nothing`,
  );
  return [...broken, ...orphans].map((what) => ({ rule: 'database', what }));
}
