import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { UserError } from '../../core/errors.js';
import type { Session } from './session.js';

/** The version of schema.sql. */
const version = 1;
const oldestServer = 15;

const schemaFile = new URL('./schema.sql', import.meta.url);

interface Facts {
  readonly server: number;
  readonly server_name: string;
  readonly encoding: string;
  /** Tables in the schema that we would use; null: there is no such schema. */
  readonly tables: number;
  readonly schema: string | null;
  readonly is_ours: boolean;
}

async function factsOf(session: Session): Promise<Facts> {
  const { rows } = await session.query({
    text: `SELECT CAST(current_setting('server_version_num') AS integer) / 10000 AS server,
        current_setting('server_version') AS server_name,
        current_setting('server_encoding') AS encoding, current_schema() AS schema,
        (SELECT CAST(count(*) AS integer) FROM pg_tables WHERE schemaname = current_schema())
          AS tables,
        to_regclass(quote_ident(current_schema()) || '.schema_version') IS NOT NULL AS is_ours`,
  });
  return rows[0] as Facts;
}

/**
 * Makes the tables where there are none.
 *
 * @throws UserError when it is not a database for us, with what to do
 */
export async function migrate(session: Session): Promise<void> {
  const facts = await factsOf(session);
  checkServer(facts);
  const schema = await readFile(schemaFile, 'utf8');
  const fingerprint = createHash('sha256').update(schema).digest('hex');
  if (facts.is_ours) return checkVersion(session, fingerprint);
  if (facts.tables > 0) {
    throw refused('is a database of another program', 'give this master a database of its own');
  }
  try {
    await session.query({ text: `BEGIN; ${schema}` });
    await session.query({
      text: 'INSERT INTO schema_version (id, version, fingerprint) VALUES (1, $1, $2)',
      values: [version, fingerprint],
    });
    await session.query({ text: 'COMMIT' });
  } catch (error) {
    session.send({ text: 'ROLLBACK' });
    throw error;
  }
}

const refused = (what: string, remedy: string): UserError =>
  new UserError(`database.url ${what}: ${remedy}`);

function checkServer({ server, server_name: name, encoding, schema }: Facts): void {
  if (server < oldestServer) {
    throw refused(`is of PostgreSQL ${name}`, `PandaFuzz needs ${oldestServer} or newer`);
  }
  if (encoding !== 'UTF8') {
    throw refused(`has the encoding ${encoding}`, 'make it with ENCODING UTF8');
  }
  if (schema === null) {
    throw refused('has no schema for its tables', 'make one that is in its search_path');
  }
}

async function checkVersion(session: Session, fingerprint: string): Promise<void> {
  const { rows } = await session.query({
    text: 'SELECT version, fingerprint FROM schema_version WHERE id = 1',
  });
  const found = rows[0] as { version: number; fingerprint: string } | undefined;
  if (found === undefined) {
    throw refused('is a database of another program', 'give this master a database of its own');
  }
  if (found.version > version) {
    throw refused(
      `was written by a newer PandaFuzz (schema ${found.version}, and this one knows ${version})`,
      'upgrade this one',
    );
  }
  if (found.version < version || found.fingerprint !== fingerprint) {
    throw refused(
      `was written by another PandaFuzz (schema ${found.version}, of other tables)`,
      'use the version that made it; there are no upgrades of PostgreSQL databases yet',
    );
  }
}
