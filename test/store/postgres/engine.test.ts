import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { NotFoundError, PreconditionError } from '../../../src/core/errors.js';
import { newId } from '../../../src/core/ids.js';
import { createMetrics } from '../../../src/metrics.js';
import { createJob } from '../../../src/store/ops/jobs/create-job.js';
import { getJob } from '../../../src/store/ops/jobs/get-job.js';
import { requestCancel } from '../../../src/store/ops/jobs/request-cancel.js';
import { markAlive } from '../../../src/store/ops/upkeep/mark-alive.js';
import { readCounters } from '../../../src/store/ops/upkeep/read-counters.js';
import type { Store } from '../../../src/store/store.js';
import { shared, temporaryFolder, testContext } from '../../harness.js';
import { databaseOf, ownServer } from '../../postgres/databases.js';
import { CommitCutter, type Cut } from '../../postgres/proxy.js';
import { type PostgresServer, sqlAt } from '../../postgres/server.js';
import { openOn } from '../../postgres/store-on.js';
import { eventually } from '../../steps.js';
import { jobInput, withTarget } from '../inputs.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await shared(ownServer);
});

const emptyDatabase = () => databaseOf(temporaryFolder(), server.adminUrl);
/** As many tries as an outage may need. */
const retry = { maxRetries: 1000, firstDelayMs: 5, maxDelayMs: 20, multiplier: 2 };
const create = (store: Store, input = jobInput()) => store.run(testContext(), createJob, input);
const counted = (store: Store) => store.run(testContext(), readCounters, null);

/** Ends the sessions of a store, as a server or a network does it. */
const cutSessions = (url: string, kind: 'writer' | 'reader') =>
  sqlAt(
    url,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'pandafuzz ${kind}%'`,
  );

describe('a group of writes on PostgreSQL', () => {
  test('commits together, and a call that fails undoes nothing of the others', async () => {
    const store = await openOn(await emptyDatabase());
    await withTarget(store);
    const twice = jobInput();
    await create(store, twice);
    const outcomes = await Promise.allSettled([
      create(store),
      create(store, { ...jobInput(), targetSha256: 'b'.repeat(64) }), // refused before any change
      create(store, twice), // the same id again: an error of the statement
      store.run(testContext(), requestCancel, { jobId: newId(), now: 1 }),
      create(store),
    ]);
    expect(outcomes.map((one) => one.status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    expect((outcomes[1] as PromiseRejectedResult).reason).toBeInstanceOf(NotFoundError);
    expect((outcomes[2] as PromiseRejectedResult).reason).toMatchObject({ code: '23505' });
    expect(await counted(store)).toMatchObject({ 'jobs.pending': 3 });
  });

  test('keeps foreign text with U+0000, which PostgreSQL has no place for', async () => {
    const store = await openOn(await emptyDatabase());
    await withTarget(store);
    const input = { ...jobInput(), engine: 'a\0b' };
    await create(store, input);
    const row = await store.run(testContext(), getJob, input.id);
    expect(row?.engine).toBe('a\ufffdb');
  });
});

describe('a lost connection', () => {
  test.each<Cut>(['before', 'after'])(
    'at COMMIT, %s the server has it, is found out about: the write is there, once',
    async (cut) => {
      const url = await emptyDatabase();
      const cutter = await CommitCutter.start(server.folder);
      const store = await openOn(url.replace(server.folder, cutter.folder), { retry });
      await withTarget(store);
      cutter.cut = cut;
      const input = jobInput();
      // A second try of a job that is there would meet its own id, and fail.
      await create(store, input);
      expect(cutter.cut).toBeUndefined();
      expect(await counted(store)).toMatchObject({ 'jobs.pending': 1 });
    },
  );

  test('of the writer and of readers heals, and nothing answered is lost', async () => {
    const url = await emptyDatabase();
    const store = await openOn(url, { retry });
    await withTarget(store);
    const before = jobInput();
    await create(store, before);
    await cutSessions(url, 'writer');
    await cutSessions(url, 'reader');
    await create(store);
    expect(await eventually(() => store.run(testContext(), getJob, before.id))).toMatchObject({
      state: 'pending',
    });
    expect(await counted(store)).toMatchObject({ 'jobs.pending': 2 });
  });

  test('to a server that crashes heals when it is there again', async () => {
    const url = await emptyDatabase();
    const store = await openOn(url, { retry });
    await withTarget(store);
    const [before, during] = [jobInput(), jobInput()];
    await create(store, before);
    await server.end('SIGQUIT');
    // One whose group waits for the server already may still be made: its caller is not told.
    const late = store.run(testContext(50), createJob, jobInput());
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError' });
    const waiting = create(store, during);
    await server.run();
    await waiting;
    for (const { id } of [before, during]) {
      expect(await store.run(testContext(), getJob, id)).toMatchObject({ state: 'pending' });
    }
  });
});

describe('a PostgreSQL database', () => {
  test('belongs to one master at a time, and the second is told whose it is', async () => {
    const url = await emptyDatabase();
    await openOn(url);
    await expect(openOn(url)).rejects.toThrow(
      new RegExp(`belongs to another master \\(process ${process.pid} on .*stop that one`),
    );
  });

  test('that another master took while the connection was lost ends the first one', async () => {
    const url = await emptyDatabase();
    const ended = Promise.withResolvers<Error>();
    const first = await openOn(url, { retry, onFailure: ended.resolve });
    await sqlAt(url, `UPDATE owner SET instance = 'another', host = 'there'`);
    await cutSessions(url, 'writer');
    const write = first.run(testContext(), markAlive, 1);
    await expect(write).rejects.toThrow(/belongs to another master now \(process .* on there/);
    expect((await ended.promise).message).toMatch(/another master now/);
  });

  test.each([
    ['of a newer version', 'UPDATE schema_version SET version = 99', /newer PandaFuzz \(schema 99/],
    [
      'of other tables',
      "UPDATE schema_version SET fingerprint = ''",
      /written by another PandaFuzz .*no upgrades/,
    ],
    [
      'of another program',
      'DROP TABLE schema_version',
      /database of another program: give this master a database of its own/,
    ],
  ])('%s is refused in words', async (_, change, words) => {
    const url = await emptyDatabase();
    await (await openOn(url)).close();
    await sqlAt(url, change);
    await expect(openOn(url)).rejects.toThrow(words);
  });

  test.each([
    ['a database that is not there', () => server.urlOf('nowhere'), /nowhere.*does not exist/],
    ['a server that is not there', () => 'postgres://a@/b?host=/nowhere', /ENOENT.*see that/],
    ['a URL that is none', () => 'postgres://:x', /cannot be used/],
  ])('named by %s is refused in words', async (_, url, words) => {
    await expect(openOn(url())).rejects.toThrow(words);
  });

  test('does not take the folder of another database', async () => {
    const directory = temporaryFolder();
    await (await openOn(await emptyDatabase(), { directory })).close();
    const other = await emptyDatabase();
    await expect(openOn(other, { directory })).rejects.toThrow(/blobs of another database/);
    const withSqlite = temporaryFolder();
    writeFileSync(join(withSqlite, 'pandafuzz.db'), '');
    await expect(openOn(other, { directory: withSqlite })).rejects.toThrow(/has a SQLite database/);
  });

  test('is backed up by its own tools, and has no figures of a file', async () => {
    const metrics = createMetrics();
    const store = await openOn(await emptyDatabase(), { metrics });
    await expect(store.copy()).rejects.toBeInstanceOf(PreconditionError);
    expect((await store.space()).databaseBytes).toBeGreaterThan(0);
    const text = await metrics.registry.metrics();
    expect(text).not.toMatch(/database_(wal|checkpoint)/);
    expect(text).toMatch(/database_queue_depth/);
  });
});
