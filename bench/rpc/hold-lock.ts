import Database from 'better-sqlite3';

/**
 * A process that holds the write lock of a database until it is told to let go:
 * `node hold-lock.js FILE`, with a channel to whoever started it.
 */
const db = new Database(process.argv[2] ?? '', { timeout: 10_000 });
db.exec('BEGIN IMMEDIATE');
process.once('message', () => {
  db.exec('COMMIT');
  db.close();
  process.disconnect();
});
process.send?.('locked');
