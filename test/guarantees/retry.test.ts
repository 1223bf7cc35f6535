import { status as Code } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { unary } from '../../src/client/call.js';
import { failureOf } from '../../src/client/failure.js';
import { executeWithRetry } from '../../src/core/retry.js';
import { ErrorInfo } from '../../src/gen/google/rpc/error_details.js';
import { Status } from '../../src/gen/google/rpc/status.js';
import { JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import type { Call } from '../../src/store/call.js';
import { fromWire, isRetryableError } from '../../src/store/sqlite/faults.js';
import { groupCommit, prepare } from '../../src/store/sqlite/group-commit.js';
import { migrate } from '../../src/store/sqlite/migrate.js';
import { atEnd, runMasterFor, temporaryFolder, testContext } from '../harness.js';
import { uploadTarget } from '../steps.js';
import { botInput, claimInput, completeInput, jobInput, target } from '../store/inputs.js';
import { lockFromOutside } from './second-process.js';

/** A database whose `failAt`th statement, counted over all, meets a lock once. */
function busyOnce(failAt: number) {
  const db = new Database(':memory:');
  atEnd(() => db.close());
  db.pragma('foreign_keys = ON');
  migrate(db);
  let executed = 0;
  const meddleWith = (statement: Database.Statement): Database.Statement =>
    new Proxy(statement, {
      get(target, property) {
        const value = Reflect.get(target, property, target);
        if (property === 'pluck') return () => meddleWith(target.pluck());
        if (property !== 'run' && property !== 'get' && property !== 'all') return value;
        return (...args: unknown[]) => {
          if (++executed === failAt) throw new Database.SqliteError('locked', 'SQLITE_BUSY');
          return value.apply(target, args);
        };
      },
    });
  const meddled = new Proxy(db, {
    get(target, property) {
      if (property === 'prepare') return (sql: string) => meddleWith(target.prepare(sql));
      const value = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const run = groupCommit(meddled, prepare(meddled, 'write'));
  return { db, run, executed: () => executed };
}

const policy = { maxRetries: 5, firstDelayMs: 1, maxDelayMs: 1, multiplier: 1 };

/** What the store does with a call: group commit on one side, retries on the other. */
async function runThrough(
  run: (calls: readonly Call[]) => ReturnType<ReturnType<typeof groupCommit>>,
  call: Call,
) {
  const options = { operation: call.operation, isRetryable: isRetryableError };
  return executeWithRetry(
    testContext(),
    policy,
    async () => {
      const [outcome] = run([call]);
      if (outcome?.ok) return outcome.value;
      throw outcome ? fromWire(outcome.error) : new Error('no outcome');
    },
    options,
  );
}

/** A job's life, as operations with fixed ids and times. */
const story: readonly Call[] = [
  { operation: 'put_artifact', input: target },
  { operation: 'register_bot', input: botInput('bot', 'b') },
  { operation: 'create_job', input: jobInput({ id: 'j', now: 1 }) },
  { operation: 'set_campaign', input: { key: '', weight: 2, maxParallel: 5, now: 1 } },
  { operation: 'pause_job', input: { jobId: 'j', now: 1 } },
  { operation: 'resume_job', input: { jobId: 'j', now: 1 } },
  { operation: 'drain_bot', input: { botId: 'b', wanted: true, now: 1 } },
  { operation: 'acknowledge_drain', input: { botId: 'b', now: 1 } },
  { operation: 'drain_bot', input: { botId: 'b', wanted: false, now: 1 } },
  { operation: 'claim_job', input: { ...claimInput('b', false), now: 2 } },
  {
    operation: 'acknowledge_lease',
    input: { jobId: 'j', attempt: 1, fence: 1, botId: 'b', now: 3 },
  },
  {
    operation: 'flush_beats',
    input: {
      bots: [{ id: 'b', lastSeenAt: 4 }],
      runs: [{ jobId: 'j', fence: 1, statistics: '{}' }],
    },
  },
  { operation: 'request_cancel', input: { jobId: 'j', now: 5 } },
  {
    operation: 'complete_job',
    input: { ...completeInput({ id: 'j', attempt: 1, fence: 1 }), now: 6 },
  },
];

const tables = [
  'bots',
  'campaigns',
  'queues',
  'jobs',
  'attempts',
  'leases',
  'artifacts',
  'events',
  'counters',
];

/** Tells the story on a database whose `failAt`th statement fails once. */
async function tell(failAt: number) {
  const { db, run, executed } = busyOnce(failAt);
  const answers: unknown[] = [];
  for (const call of story) answers.push(await runThrough(run, call));
  const rows = tables.map((table) => db.prepare(`SELECT * FROM ${table}`).all());
  return { answers, rows, executed: executed() };
}

describe('retry', () => {
  test('a lock met at any statement, BEGIN and COMMIT among them, heals without a trace', async () => {
    const undisturbed = await tell(0);
    expect(undisturbed.executed).toBeGreaterThan(40);
    for (let failAt = 1; failAt <= undisturbed.executed; failAt++) {
      const { answers, rows, executed } = await tell(failAt);
      expect({ failAt, answers, rows }).toEqual({ failAt, ...undisturbed, executed: undefined });
      expect(executed).toBeGreaterThan(undisturbed.executed);
    }
  });

  test('a lock that stays is told as UNAVAILABLE, with when to come again and how often it was tried', async () => {
    const directory = temporaryFolder();
    const { connection } = await runMasterFor({}, directory);
    const { sha256: targetSha256 } = await uploadTarget(connection);
    await lockFromOutside(directory);
    const request = { spec: JobSpec.create({ engine: 'libfuzzer', targetSha256 }), requestId: '' };
    const error = await unary(connection.jobs, connection.jobs.createJob, request).catch(
      (error: unknown) => error,
    );
    expect(failureOf(error)).toMatchObject({
      code: Code.UNAVAILABLE,
      reason: 'RETRIES_EXHAUSTED',
      retryAfterMs: 1000,
    });
    const { metadata } = error as { metadata: { get(key: string): Buffer[] } };
    const [packed] = metadata.get('grpc-status-details-bin');
    const info = Status.decode(packed as Buffer).details.find(({ typeUrl }) =>
      typeUrl.endsWith('ErrorInfo'),
    );
    expect(ErrorInfo.decode(info?.value as Buffer).metadata).toEqual({
      operation: 'create_job',
      attempts: '6',
    });
  });
});
