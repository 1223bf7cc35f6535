import type { Database } from 'better-sqlite3';

/**
 * Appends to the log of what happened. Part of the write operations, so that an
 * event and its change are on disk together or not at all.
 */
export function eventRecorder(db: Database) {
  const insert = db.prepare<[number, string, string, string]>(
    'INSERT INTO events (time, kind, subject, detail) VALUES (?, ?, ?, ?)',
  );
  return (now: number, kind: string, subject: string, detail: object = {}): void => {
    insert.run(now, kind, subject, JSON.stringify(detail));
  };
}
