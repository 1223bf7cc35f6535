import Database from 'better-sqlite3';

/**
 * A process that holds the write lock of a database:
 * `node hold-lock.js FILE MILLISECONDS`. Says "locked" once it does.
 */
const [path = '', ms = ''] = process.argv.slice(2);
const db = new Database(path);
db.exec('BEGIN IMMEDIATE');
process.stdout.write('locked\n');
setTimeout(() => {
  db.exec('COMMIT');
  db.close();
}, Number(ms));
