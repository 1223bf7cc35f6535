import { connect as connectTo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import type { Address } from '../../../src/config/quantities.js';
import { atEnd, runMasterFor, shared, temporaryFolder } from '../../harness.js';
import { runSecuredMaster } from '../../secured.js';
import { eventually, metric } from '../../steps.js';
import { blockDatabase } from '../../wire/block-database.js';
import { ask, endOf, envelope, json, jsonOf, pathOf, stream } from './transport.js';

const listJobs = pathOf('JobService/ListJobs');
const watchJobs = pathOf('JobService/WatchJobs');
const bomb = gzipSync(Buffer.alloc(512 * 1024));

/** A request as bytes, for those that do not wait for an answer. */
function requestOf(path: string, headers: Record<string, string>, body: Buffer): Buffer {
  const all = { host: 'localhost', 'content-length': String(body.length), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), body]);
}

/** The statuses of all answers on one connection, by how often each came. */
async function statusesOf(at: Address, requests: readonly Buffer[]) {
  const socket = connectTo(at.port, at.host);
  atEnd(() => socket.destroy());
  const answers = text(socket);
  socket.write(Buffer.concat(requests));
  const counts: Record<string, number> = {};
  for (const [, status = ''] of (await answers).matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

test('what a caller without a token has compressed is not looked at', async () => {
  const { master } = await shared(() => runSecuredMaster());
  const at = master.http;
  // It is no gzip: whoever looks at it finds that out.
  const unaryHeaders = { ...json, 'content-encoding': 'gzip' };
  const posted = await ask(at, listJobs, { headers: unaryHeaders, body: 'no gzip' });
  expect(posted.status).toBe(401);
  const query = `${listJobs}?encoding=json&compression=gzip&message=nogzip`;
  expect((await ask(at, query, { method: 'GET' })).status).toBe(401);
  const streamHeaders = { ...stream, 'connect-content-encoding': 'gzip' };
  const asked = { headers: streamHeaders, body: envelope('no gzip', 1) };
  expect(endOf(await ask(at, watchJobs, asked))).toMatchObject({
    error: { code: 'unauthenticated' },
  });
});

test('a connection has so many open calls, and others are served beside it', async () => {
  const { master } = await runMasterFor();
  const at = master.http;
  const gzip = { ...json, 'content-encoding': 'gzip' };
  const first = requestOf(watchJobs, { ...stream, 'connect-timeout-ms': '8000' }, envelope('{}'));
  const bombs = Array.from({ length: 118 }, () => requestOf(listJobs, gzip, bomb));
  const last = requestOf(listJobs, { ...json, connection: 'close' }, Buffer.from('{}'));
  const statuses = statusesOf(at, [first, ...bombs, last]);
  expect((await ask(at, listJobs, { headers: json, body: '{}' })).status).toBe(200);
  // A bomb is no JSON once it is inflated.
  expect(await statuses).toEqual({ '200': 1, '400': 99, '429': 20 });
});

test('a call of another site is in the log and in the audit log', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
  const directory = temporaryFolder();
  const { master } = await runMasterFor({}, directory, { log });
  const refused = async (path: string, headers: Record<string, string>) =>
    (await ask(master.http, path, { headers: { ...json, ...headers }, body: '{}' })).status;
  expect(await refused(listJobs, { 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await refused('/evil.V1/Nothing', { host: 'evil.example' })).toBe(403);
  const told = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'call refused');
  expect(told).toMatchObject([
    { path: '127.0.0.1', endpoint: listJobs, reason: 'OTHER_SITE' },
    { path: '127.0.0.1', endpoint: 'no method', reason: 'FOREIGN_HOST' },
  ]);
  await master.stop();
  const db = new Database(join(directory, 'pandafuzz.db'), { readonly: true });
  atEnd(() => db.close());
  expect(
    db.prepare("SELECT * FROM audit WHERE kind = 'refusal' ORDER BY sequence").all(),
  ).toMatchObject([
    { method: 'JobService/ListJobs', address: '127.0.0.1', outcome: 'OTHER_SITE' },
    { method: 'no method', address: '127.0.0.1', outcome: 'FOREIGN_HOST' },
  ]);
});

test('a master that stops takes no new calls while it ends those that it has', async () => {
  const directory = temporaryFolder();
  const settings = { PANDAFUZZ_TIMEOUTS_SHUTDOWN: '5m', PANDAFUZZ_TIMEOUTS_DATABASE_OP: '5m' };
  const { master } = await runMasterFor(settings, directory);
  const { release } = await blockDatabase(directory);
  const asking = () => ask(master.http, listJobs, { headers: json, body: '{}' });
  const slow = asking();
  await eventually(
    async () => (await metric(master, 'api_in_flight{pool="calls"}')) === 1 || undefined,
  );
  const stopped = master.stop();
  const late = await asking();
  expect([late.status, late.headers['connection']]).toEqual([503, 'close']);
  expect(jsonOf(late)).toMatchObject({
    code: 'unavailable',
    details: [{ debug: { reason: 'SHUTTING_DOWN' } }, {}, {}],
  });
  await release();
  expect((await slow).status).toBe(200);
  await stopped;
});
