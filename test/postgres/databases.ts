import { createHash } from 'node:crypto';
import { atEnd } from '../endings.js';
import { PostgresServer, sqlAt } from './server.js';

/** URL of a server: stores and masters of tests are on PostgreSQL then (`make test-postgres`). */
export const testServer = process.env['TEST_POSTGRES'];

const made = new Set<string>();

/** The database that stands for a data folder: the same for each opening, gone after the test. */
export async function databaseOf(directory: string, server = testServer): Promise<string> {
  if (server === undefined) throw new Error('TEST_POSTGRES is not set');
  const name = `t_${createHash('sha256').update(directory).digest('hex').slice(0, 24)}`;
  const url = server.replace('/postgres?', `/${name}?`);
  if (made.has(name)) return url;
  await sqlAt(server, `CREATE DATABASE ${name}`);
  made.add(name);
  atEnd(async () => {
    made.delete(name);
    await sqlAt(server, `DROP DATABASE ${name} WITH (FORCE)`);
  });
  return url;
}

/** A server of the file's own, which it may end and start again: for `beforeAll` and `shared`. */
export async function ownServer(): Promise<PostgresServer> {
  const server = await PostgresServer.start();
  atEnd(() => server.remove());
  return server;
}
