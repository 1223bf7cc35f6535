import Database from 'better-sqlite3';

/**
 * A process that holds the write lock of a database until its standard input ends:
 * `node hold-lock.js FILE`. Writes "locked" once it has the lock.
 */
const [path = ''] = process.argv.slice(2);
const db = new Database(path);
db.exec('BEGIN IMMEDIATE');
process.stdout.write('locked\n');
process.stdin.resume().once('end', () => {
  db.exec('COMMIT');
  db.close();
});
