import { createHash } from 'node:crypto';
import { atEnd } from '../endings.js';
import { sqlAt } from './server.js';

/** URL of a server: stores and masters of tests are on PostgreSQL then. */
export const testServer = process.env['TEST_POSTGRES'];

const made = new Set<string>();

/** The database that stands for a data folder: the same for each opening, gone after the test. */
export async function databaseOf(directory: string): Promise<string> {
  if (testServer === undefined) throw new Error('TEST_POSTGRES is not set');
  const name = `t_${createHash('sha256').update(directory).digest('hex').slice(0, 24)}`;
  const url = testServer.replace('/postgres?', `/${name}?`);
  if (made.has(name)) return url;
  await sqlAt(testServer, `CREATE DATABASE ${name}`);
  made.add(name);
  atEnd(async () => {
    made.delete(name);
    await sqlAt(testServer, `DROP DATABASE ${name} WITH (FORCE)`);
  });
  return url;
}
