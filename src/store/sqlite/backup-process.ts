import { closeSync, fsyncSync, openSync } from 'node:fs';
import Database from 'better-sqlite3';
import { codeOf, messageOf } from '../../core/errors.js';

/** The program of backup.ts's process: `node backup-process.js DATABASE COPY`. */
const [from, to] = process.argv.slice(2) as [string, string];

try {
  const db = new Database(from, { readonly: true, timeout: 1000 });
  db.pragma('temp_store = MEMORY');
  db.prepare('VACUUM INTO ?').run(to);
  db.close();
  mark(to);
  check(to);
  const file = openSync(to, 'r+');
  fsyncSync(file);
  closeSync(file);
} catch (error) {
  console.error(codeOf(error) ?? '', messageOf(error));
  process.exitCode = 1;
}

/** A master that opens the copy begins a new epoch of fences. */
function mark(path: string): void {
  const copy = new Database(path);
  copy.exec('UPDATE epochs SET is_copy = 1');
  copy.close();
}

function check(path: string): void {
  const copy = new Database(path, { readonly: true });
  const verdict = copy.pragma('integrity_check(1)', { simple: true });
  copy.close();
  if (verdict !== 'ok') throw new Error(`the copy is damaged: ${verdict}`);
}
