import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import {
  AlreadyExistsError,
  NotFoundError,
  PreconditionError,
  RetryExhaustedError,
  StaleLeaseError,
  TimeoutError,
} from '../../src/core/errors.js';
import { newId } from '../../src/core/ids.js';
import { createMetrics } from '../../src/metrics.js';
import { listCrashGroups } from '../../src/store/ops/crashes/list-crash-groups.js';
import { moveCrashes } from '../../src/store/ops/crashes/move-crashes.js';
import { recordCrash } from '../../src/store/ops/crashes/record-crash.js';
import { completeJob } from '../../src/store/ops/jobs/complete-job.js';
import { createJob } from '../../src/store/ops/jobs/create-job.js';
import { getJob } from '../../src/store/ops/jobs/get-job.js';
import { listJobs } from '../../src/store/ops/jobs/list-jobs.js';
import { requestCancel } from '../../src/store/ops/jobs/request-cancel.js';
import { acknowledgeLease } from '../../src/store/ops/leases/acknowledge-lease.js';
import { releaseLease } from '../../src/store/ops/leases/release-lease.js';
import { claimJob } from '../../src/store/ops/scheduling/claim-job.js';
import { markAlive } from '../../src/store/ops/upkeep/mark-alive.js';
import { readCounters } from '../../src/store/ops/upkeep/read-counters.js';
import type { JobRow } from '../../src/store/rows.js';
import type { Store } from '../../src/store/store.js';
import { openStore, temporaryFolder, testContext } from '../harness.js';
import { describeSqlite, testOfSqlite } from '../postgres/of-sqlite.js';
import { eventually, given } from '../steps.js';
import {
  claimInput,
  completeInput,
  crashInput,
  jobInput,
  noPause,
  target,
  withBot,
  withTarget,
} from './inputs.js';

async function newJob(store: Store, options: Parameters<typeof jobInput>[0] = {}): Promise<JobRow> {
  const input = jobInput(options);
  const { earlier } = await store.run(testContext(), createJob, input);
  return earlier ?? given(await store.run(testContext(), getJob, input.id));
}

/** Another connection holds the write lock, until the returned function is called. */
function lockOut(directory: string): () => void {
  const other = new Database(join(directory, 'pandafuzz.db'));
  other.exec('BEGIN IMMEDIATE');
  return () => {
    other.exec('COMMIT');
    other.close();
  };
}

function fileIn(folder: string): string {
  const path = join(folder, 'file');
  writeFileSync(path, '');
  return path;
}

/** Resolves when the writer's next group has ended, whatever became of it. */
const groupEnded = (store: Store) => new Promise<void>((resolve) => store.onWrite(resolve));

/**
 * While the lock is held: lets the group end that the writer may have at this moment. A
 * call of it that was abandoned is not tried again.
 *
 * @returns a write that has begun, and waits for the lock
 */
async function afterGroupUnderWay(store: Store): Promise<{ write: Promise<number> }> {
  const ended = groupEnded(store);
  const write = store.run(testContext(), markAlive, 1);
  await ended;
  return { write };
}

/** @returns the job as it is after that */
async function claim(store: Store, botId: string, acknowledged = true) {
  const job = await store.run(testContext(), claimJob, claimInput(botId, acknowledged));
  return job && store.run(testContext(), getJob, job.id);
}

const finish = (store: Store, job: JobRow, outcome: Parameters<typeof completeInput>[1]) =>
  store.run(testContext(), completeJob, completeInput(job, outcome));

describe('the store', () => {
  test('sets every connection up alike, and has what it wrote after a reopen', async () => {
    const directory = temporaryFolder();
    const first = await openStore({ directory });
    await withTarget(first);
    const job = await newJob(first, { name: 'kept' });
    await first.close();
    const second = await openStore({ directory });
    const row = await second.run(testContext(), getJob, job.id);
    expect(JSON.parse(row?.spec ?? '{}')).toMatchObject({ name: 'kept', targetName: 'demo' });
  });

  test('puts writes that come together into one commit, and one that fails fails alone', async () => {
    const store = await openStore();
    await withTarget(store);
    const outcomes = await Promise.allSettled([
      newJob(store),
      store.run(testContext(), createJob, { ...jobInput(), targetSha256: 'b'.repeat(64) }),
      newJob(store),
      store.run(testContext(), requestCancel, { jobId: newId(), now: 1 }),
      newJob(store),
    ]);
    expect(outcomes.map((o) => o.status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect((outcomes[1] as PromiseRejectedResult).reason).toBeInstanceOf(NotFoundError);
    expect(await store.run(testContext(), readCounters, null)).toMatchObject({ 'jobs.pending': 3 });
  });

  testOfSqlite('takes many operations as one call, each with an outcome of its own', async () => {
    const directory = temporaryFolder();
    const retry = { maxRetries: 50, firstDelayMs: 5, maxDelayMs: 20, multiplier: 2 };
    const metrics = createMetrics();
    const store = await openStore({ directory, retry, metrics });
    await withTarget(store);
    const job = (targetSha256: string) => ({ ...jobInput(), targetSha256 });
    const inputs = [target.sha256, 'b'.repeat(64), target.sha256].map(job);
    const release = lockOut(directory);
    const running = store.runEach(testContext(), createJob, inputs);
    await eventually(
      async () => (await metrics.databaseRetries.get()).values[0]?.value || undefined,
    );
    release();
    const outcomes = await running;
    expect(outcomes).toMatchObject([
      { ok: true, value: { earlier: undefined } },
      { ok: false, error: expect.any(NotFoundError) },
      { ok: true, value: { earlier: undefined } },
    ]);
    const ids = inputs.map(({ id }) => id);
    const kept = await Promise.all(ids.map((id) => store.run(testContext(), getJob, id)));
    expect(kept.map((job) => job?.id)).toEqual([ids[0], undefined, ids[2]]);
    expect(await store.run(testContext(), readCounters, null)).toMatchObject({ 'jobs.pending': 2 });
  });

  testOfSqlite('drops all of many operations when their deadline comes first', async () => {
    const directory = temporaryFolder();
    const retry = { maxRetries: 1000, firstDelayMs: 5, maxDelayMs: 20, multiplier: 2 };
    const store = await openStore({ directory, retry });
    await withTarget(store);
    const release = lockOut(directory);
    const inputs = [jobInput(), jobInput()];
    const running = store.runEach(testContext(100), createJob, inputs);
    await expect(running).rejects.toBeInstanceOf(TimeoutError);
    const { write } = await afterGroupUnderWay(store);
    release();
    await write;
    await newJob(store); // behind them, were they still there
    expect(await store.run(testContext(), readCounters, null)).toMatchObject({ 'jobs.pending': 1 });
  });

  testOfSqlite('waits out a lock of another process', async () => {
    const directory = temporaryFolder();
    const store = await openStore({
      directory,
      retry: { maxRetries: 50, firstDelayMs: 5, maxDelayMs: 20, multiplier: 2 },
    });
    await withTarget(store);
    const release = lockOut(directory);
    const waiting = newJob(store);
    const reads = await store.run(testContext(), listJobs, { beforeId: 'g', limit: 10 });
    expect(reads).toEqual([]);
    release();
    expect((await waiting).state).toBe('pending');
  });

  testOfSqlite('says how often it tried when the lock stays', async () => {
    const directory = temporaryFolder();
    const retry = { maxRetries: 2, firstDelayMs: 1, maxDelayMs: 2, multiplier: 2 };
    const store = await openStore({ directory, retry });
    const release = lockOut(directory);
    const error = await withTarget(store).catch((e: unknown) => e);
    release();
    expect(error).toBeInstanceOf(RetryExhaustedError);
    expect((error as RetryExhaustedError).fields).toMatchObject({
      operation: 'put_artifact',
      attempts: 3,
      lastError: expect.stringContaining('SQLITE_BUSY'),
    });
  });

  testOfSqlite('drops a write whose deadline comes while the lock is held, for good', async () => {
    const directory = temporaryFolder();
    const retry = { maxRetries: 1000, firstDelayMs: 5, maxDelayMs: 10, multiplier: 2 };
    const store = await openStore({ directory, retry });
    await withTarget(store);
    const release = lockOut(directory);
    const error = await store.run(testContext(100), createJob, jobInput()).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TimeoutError); // and the lock is still held
    release();
    await newJob(store);
    expect(await store.run(testContext(), listJobs, { beforeId: 'g', limit: 10 })).toHaveLength(1);
  });
});

describe('a data directory', () => {
  test.each([
    [
      'below /proc',
      () => '/proc/pandafuzz/data',
      /data\.directory: \/proc\/pandafuzz does not exist, or cannot be made there/,
    ],
    [
      'below a file',
      () => join(fileIn(temporaryFolder()), 'data'),
      /data\.directory: .* is a file/,
    ],
  ])('%s is refused in words', async (_, directory, words) => {
    await expect(openStore({ directory: directory() })).rejects.toThrow(words);
  });

  test('with a file in the place of its blobs is refused in words', async () => {
    const directory = temporaryFolder();
    writeFileSync(join(directory, 'blobs'), '');
    await expect(openStore({ directory })).rejects.toThrow(/data\.directory: .*blobs.* is a file/);
  });
});

describeSqlite('a database file', () => {
  test('belongs to one master at a time, and the second is told whose it is', async () => {
    const directory = temporaryFolder();
    await openStore({ directory });
    await expect(openStore({ directory })).rejects.toThrow(
      new RegExp(`belongs to another master \\(process ${process.pid} on .*stop that one`),
    );
  });

  test('from a newer version is refused, and left as it is', async () => {
    const directory = temporaryFolder();
    await (await openStore({ directory })).close();
    const db = new Database(join(directory, 'pandafuzz.db'));
    db.pragma('user_version = 99');
    db.close();
    await expect(openStore({ directory })).rejects.toThrow(/newer PandaFuzz \(schema 99.*upgrade/);
  });

  test('of another program is refused', async () => {
    const directory = temporaryFolder();
    const db = new Database(join(directory, 'pandafuzz.db'));
    db.exec('CREATE TABLE theirs (x)');
    db.close();
    await expect(openStore({ directory })).rejects.toThrow(/database of another program/);
  });

  test('that is no database is refused', async () => {
    const directory = temporaryFolder();
    writeFileSync(
      join(directory, 'pandafuzz.db'),
      'not a database, but long enough to look at'.repeat(50),
    );
    await expect(openStore({ directory })).rejects.toThrow(
      /not a readable database.*restore a backup, or move it away/,
    );
  });

  test('with a damaged page is refused', async () => {
    const directory = temporaryFolder();
    await (await openStore({ directory })).close();
    const path = join(directory, 'pandafuzz.db');
    const db = new Database(path);
    db.pragma('journal_mode = DELETE');
    db.close();
    const { readFileSync } = await import('node:fs');
    const bytes = readFileSync(path);
    bytes.fill(0xee, 4096 * 3, 4096 * 6);
    writeFileSync(path, bytes);
    await expect(openStore({ directory })).rejects.toThrow(/not a readable database/);
  });
});

describe('a job', () => {
  test('goes to one claim only, highest priority first, then oldest', async () => {
    const store = await openStore();
    await withTarget(store);
    const bot = await withBot(store);
    const low = await newJob(store);
    const high = await newJob(store, { priority: 5 });
    const later = await newJob(store);
    const claims = await Promise.all([
      claim(store, bot),
      claim(store, bot),
      claim(store, bot),
      claim(store, bot),
    ]);
    expect(claims.map((job) => job?.id)).toEqual([high.id, low.id, later.id, undefined]);
    expect(claims[0]).toMatchObject({ state: 'running', attempt: 1, fence: 1, bot_id: bot });
  });

  test('is made once for a request id, and another spec under it is refused', async () => {
    const store = await openStore();
    await withTarget(store);
    const requestId = newId();
    const first = await newJob(store, { requestId });
    expect((await newJob(store, { requestId })).id).toBe(first.id);
    await expect(newJob(store, { requestId, name: 'other' })).rejects.toBeInstanceOf(
      AlreadyExistsError,
    );
  });

  test('ends with its result, and the same result again gets the same receipt', async () => {
    const store = await openStore();
    await withTarget(store);
    const bot = await withBot(store);
    await newJob(store);
    const job = (await claim(store, bot)) as JobRow;
    const receipt = await finish(store, job, 'completed');
    expect(receipt.state).toBe('completed');
    expect(await finish(store, job, 'completed')).toEqual({ ...receipt, job: undefined });
    await expect(finish(store, job, 'failed')).rejects.toBeInstanceOf(AlreadyExistsError);
  });

  test('that fails goes round until its attempts are used up, and is dead then', async () => {
    const store = await openStore();
    await withTarget(store);
    const bot = await withBot(store);
    const { id } = await newJob(store, { maxAttempts: 2 });
    const first = (await claim(store, bot)) as JobRow;
    expect((await finish(store, first, 'failed')).state).toBe('pending');
    const second = (await claim(store, bot)) as JobRow;
    expect(second).toMatchObject({ id, attempt: 2, fence: 2 });
    expect((await finish(store, second, 'failed')).state).toBe('dead');
  });

  test('is not charged for a bot that is lost, or for its own trouble', async () => {
    const store = await openStore();
    await withTarget(store);
    const bot = await withBot(store);
    const { id: jobId } = await newJob(store, { maxAttempts: 1 });
    const first = (await claim(store, bot)) as JobRow;
    const lost = {
      jobId,
      fence: first.fence,
      outcome: 'lost',
      message: 'gone',
      statistics: null,
      now: 5,
      ...noPause,
    } as const;
    expect(await store.run(testContext(), releaseLease, lost)).toMatchObject({ state: 'pending' });
    expect(await store.run(testContext(), releaseLease, lost)).toBeUndefined();
    const second = (await claim(store, bot)) as JobRow;
    expect((await finish(store, second, 'infrastructure')).state).toBe('pending');
    expect(await claim(store, bot)).toMatchObject({ attempt: 1, fence: 3, failed_attempts: 0 });
  });

  test('that every bot refuses ends as dead', async () => {
    const store = await openStore();
    await withTarget(store);
    const bot = await withBot(store);
    const { id: jobId } = await newJob(store, { maxAttempts: 1 });
    const { fence } = (await claim(store, bot, false)) as JobRow;
    const refusal = {
      jobId,
      fence,
      outcome: 'rejected',
      message: 'no',
      statistics: null,
      now: 5,
      ...noPause,
    } as const;
    expect(await store.run(testContext(), releaseLease, refusal)).toMatchObject({ state: 'dead' });
  });

  test('hears nothing said under a lease that is not the valid one', async () => {
    const store = await openStore();
    await withTarget(store);
    const bot = await withBot(store);
    const { id: jobId } = await newJob(store);
    const stale = (await claim(store, bot, false)) as JobRow;
    const lost = {
      jobId,
      fence: stale.fence,
      outcome: 'unanswered',
      message: '',
      statistics: null,
      now: 5,
      ...noPause,
    } as const;
    await store.run(testContext(), releaseLease, lost);
    const valid = (await claim(store, bot, false)) as JobRow;
    await expect(finish(store, stale, 'completed')).rejects.toBeInstanceOf(StaleLeaseError);
    const taken = { jobId, attempt: 1, fence: stale.fence, botId: bot, now: 6 };
    await expect(store.run(testContext(), acknowledgeLease, taken)).rejects.toBeInstanceOf(
      StaleLeaseError,
    );
    await store.run(testContext(), acknowledgeLease, { ...taken, fence: valid.fence });
    expect(await store.run(testContext(), getJob, jobId)).toMatchObject({ state: 'running' });
  });

  test('that waits is cancelled at once, one that runs when its attempt ends', async () => {
    const store = await openStore();
    await withTarget(store);
    const bot = await withBot(store);
    const cancel = (jobId: string) => store.run(testContext(), requestCancel, { jobId, now: 9 });
    const waiting = await newJob(store);
    expect(await cancel(waiting.id)).toMatchObject({ state: 'cancelled', finished_at: 9 });
    expect(await cancel(waiting.id)).toMatchObject({ state: 'cancelled' });
    await newJob(store);
    const running = (await claim(store, bot)) as JobRow;
    expect(await cancel(running.id)).toMatchObject({ state: 'running', cancel_requested_at: 9 });
    expect((await finish(store, running, 'failed')).state).toBe('cancelled');
    await newJob(store);
    const done = (await claim(store, bot)) as JobRow;
    await finish(store, done, 'completed');
    await expect(cancel(done.id)).rejects.toBeInstanceOf(PreconditionError);
  });
});

describe('crashes', () => {
  test('are kept once an input and job, counted in their group, and marked when late', async () => {
    const store = await openStore();
    await withTarget(store);
    const bot = await withBot(store);
    await newJob(store);
    const job = (await claim(store, bot)) as JobRow;
    const record = (input: ReturnType<typeof crashInput>) =>
      store.run(testContext(), recordCrash, input);
    const first = await record(crashInput(job, '1'));
    expect(first).toMatchObject({ newGroup: true, duplicate: false, late: false });
    expect(await record(crashInput(job, '1'))).toMatchObject({
      duplicate: true,
      crashId: first.crashId,
    });
    expect(await record(crashInput(job, '2'))).toMatchObject({
      newGroup: false,
      groupId: first.groupId,
    });
    await finish(store, job, 'completed');
    expect(await record(crashInput(job, '3', 'other'))).toMatchObject({
      newGroup: true,
      late: true,
    });
    expect(await store.run(testContext(), readCounters, null)).toMatchObject({
      crash_inputs_kept: 3,
      crash_hits: 3,
      crash_groups: 2,
    });
    await expect(record({ ...crashInput(job, '4'), fence: 7 })).rejects.toBeInstanceOf(
      NotFoundError,
    );
  });

  test('go to the group that stands for theirs, when that one has lost all of its own', async () => {
    const store = await openStore();
    await withTarget(store);
    const bot = await withBot(store);
    await newJob(store);
    const job = (await claim(store, bot)) as JobRow;
    const record = (input: ReturnType<typeof crashInput>) =>
      store.run(testContext(), recordCrash, input);
    const gone = await record(crashInput(job, '1', 's'));
    const stays = await record(crashInput(job, '2', 't'));
    const moves = [{ crashId: gone.crashId, from: gone.groupId, to: stays.groupId }];
    await store.run(testContext(), moveCrashes, {
      project: 'default',
      targetName: 'demo',
      moves,
      signatures: [],
      distinctions: [],
      now: 5,
    });
    expect(await record(crashInput(job, '3', 's'))).toMatchObject({
      groupId: stays.groupId,
      newGroup: false,
    });
    const page = { beforeId: 'z', limit: 10, filter: {} };
    const { groups } = await store.run(testContext(), listCrashGroups, page);
    expect(groups).toMatchObject([{ id: stays.groupId, count: 3, hits: 3, merged_into: null }]);
  });
});
