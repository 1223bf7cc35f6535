import Database from 'better-sqlite3';
import { UserError } from '../../core/errors.js';

export interface ConnectionOptions {
  /** The database file. */
  readonly path: string;
  readonly access: 'read' | 'write' | 'upkeep';
  readonly synchronous: 'full' | 'normal';
  /** Size that the write-ahead log is cut back to as it starts over, bytes; usually 64 MiB. */
  readonly maxLogBytes?: number | undefined;
}

export const usualMaxLogBytes = 64 * 2 ** 20;

/**
 * The writer's is small: where a commit has moved pages, SQLite goes through all of its
 * cache (balancing a tree borrows a page number beyond the end, and what is cached beyond
 * it is dropped). With 64 MB that was 0.1 ms a commit, more than reading pages again from
 * the system's cache, which has them.
 */
const cacheKib = { read: 64_000, write: 8000, upkeep: 8000 } as const;

/**
 * The settings of every connection. WAL lets readers run beside the writer; a
 * lock held by another process comes back at once (the caller backs off, no
 * thread sleeps); memory-mapped I/O stays off, as it turns disk errors into
 * signals. Settings hold for a connection, not for the file.
 */
const pragmas = ({
  access,
  synchronous,
  maxLogBytes = usualMaxLogBytes,
}: ConnectionOptions): [name: string, value: string, reads: unknown][] => [
  ['busy_timeout', '0', 0],
  ['journal_mode', 'WAL', 'wal'],
  ['synchronous', synchronous.toUpperCase(), synchronous === 'full' ? 2 : 1],
  ['temp_store', 'MEMORY', 2],
  ['cache_size', `-${cacheKib[access]}`, -cacheKib[access]],
  ['foreign_keys', 'ON', 1],
  ['mmap_size', '0', 0],
  ['journal_size_limit', String(maxLogBytes), maxLogBytes],
  // Checkpoints run beside the writer (checkpoints.ts), not in its commits.
  ['wal_autocheckpoint', '0', 0],
];

/** Opens a connection and makes sure that each of its settings took. */
export function openConnection(options: ConnectionOptions): Database.Database {
  const db = new Database(options.path, { readonly: options.access === 'read', timeout: 0 });
  try {
    for (const [name, value, reads] of pragmas(options)) {
      // A reader cannot set the journal mode, only find it set.
      const readerMayOnlyLook = options.access === 'read' && name === 'journal_mode';
      db.pragma(readerMayOnlyLook ? name : `${name} = ${value}`);
      const actual = db.pragma(name, { simple: true });
      if (actual !== reads) {
        throw new UserError(
          `${options.path}: SQLite did not take ${name} = ${value} (it reads ${actual}); is this a local disk?`,
        );
      }
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
