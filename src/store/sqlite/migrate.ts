import { readdirSync, readFileSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { UserError } from '../../core/errors.js';

const folder = new URL('./migrations/', import.meta.url);

/** "PFUZ": marks a SQLite file as ours. */
const applicationId = 0x5046555a;

/**
 * Brings the database to the newest schema, one numbered file a transaction.
 *
 * @throws UserError for a file that is not ours, or from a newer version
 */
export function migrate(db: Database): void {
  const steps = everyStep();
  const version = db.pragma('user_version', { simple: true }) as number;
  expectOurs(db);
  if (version > steps.length) {
    throw new UserError(
      `${db.name} was written by a newer PandaFuzz (schema ${version}, this one knows ${steps.length}): upgrade PandaFuzz, or give it another data.directory`,
    );
  }
  for (const [index, name] of steps.entries()) {
    if (index < version) continue;
    db.transaction(() => {
      db.exec(readFileSync(new URL(name, folder), 'utf8'));
      db.pragma(`user_version = ${index + 1}`);
      db.pragma(`application_id = ${applicationId}`);
    }).immediate();
  }
}

const everyStep = () =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort();

/** The newest schema that this version knows. */
export const newestSchema = (): number => everyStep().length;

export const isOurs = (db: Database): boolean =>
  db.pragma('application_id', { simple: true }) === applicationId;

function expectOurs(db: Database): void {
  const empty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (empty || isOurs(db)) return;
  throw new UserError(
    `${db.name} is a database of another program: give PandaFuzz another data.directory`,
  );
}
