import type { Database } from 'better-sqlite3';

/** PASSIVE copies what it can beside readers and writer; TRUNCATE also empties the log. */
export type CheckpointMode = 'PASSIVE' | 'TRUNCATE';

/** Pages in the log, and how many of them are in the database too. */
export interface Checkpointed {
  readonly log: number;
  readonly copied: number;
}

export function checkpoint(db: Database, mode: CheckpointMode): Checkpointed {
  try {
    const [row] = db.pragma(`wal_checkpoint(${mode})`) as { log: number; checkpointed: number }[];
    return { log: row?.log ?? 0, copied: row?.checkpointed ?? 0 };
  } catch {
    // Another connection is in the way, or the disk fails: then the next write fails too.
    return { log: 1, copied: 0 };
  }
}
