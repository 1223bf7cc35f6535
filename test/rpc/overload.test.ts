import { status as Code } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { failureOf } from '../../src/client/failure.js';
import { OverloadError } from '../../src/core/errors.js';
import { JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import { Admission, type Precedence } from '../../src/rpc/admission.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { metric, registerBot, uploadTarget } from '../steps.js';
import { blockDatabase } from '../wire/block-database.js';

describe('what is let in', () => {
  const admitted = (admission: Admission, precedence: Precedence) => {
    let count = 0;
    try {
      for (;;) {
        admission.enter('calls', precedence);
        count++;
      }
    } catch (error) {
      expect(error).toBeInstanceOf(OverloadError);
      return count;
    }
  };

  test('is reads up to one half, new work up to three quarters, results to the last', () => {
    const admission = new Admission({ calls: 100, transfers: 1, waits: 1, feeds: 1, streams: 1 });
    expect(admitted(admission, 'read')).toBe(50);
    expect(admitted(admission, 'work')).toBe(25);
    expect(admitted(admission, 'result')).toBe(25);
    admission.leave('calls');
    expect(admitted(admission, 'read')).toBe(0);
    expect(admitted(admission, 'result')).toBe(1);
    admission.enter('transfers', 'read');
  });
});

describe('too many calls', () => {
  test('are refused at once with when to come again; results still come through', async () => {
    const directory = temporaryFolder();
    const settings = { PANDAFUZZ_LIMITS_MAX_CALLS: '8' };
    const { connection, master } = await runMasterFor(settings, directory);
    const bot = await registerBot(connection);
    const { sha256: targetSha256 } = await uploadTarget(connection);
    const { release } = await blockDatabase(directory);
    const getBot = () => unary(connection.bots, connection.bots.getBot, { botId: bot.id });
    const spec = JobSpec.create({ engine: 'libfuzzer', targetSha256 });
    const createJob = () =>
      unary(connection.jobs, connection.jobs.createJob, { spec, requestId: '' });
    const settled = (calls: Promise<unknown>[]) =>
      calls.map((call) =>
        call.then(
          () => undefined,
          (error: unknown) => failureOf(error),
        ),
      );

    const reads = settled(Array.from({ length: 6 }, getBot));
    let answered = 0;
    for (const read of reads.slice(0, 4)) void read.then(() => answered++);
    const refused = await Promise.all(reads.slice(4));
    expect(answered).toBe(0);
    for (const failure of refused) {
      expect(failure).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, reason: 'OVERLOADED' });
      expect(failure?.retryAfterMs).toBeGreaterThan(0);
    }
    const creations = settled(Array.from({ length: 3 }, createJob));
    expect((await creations[2])?.code).toBe(Code.RESOURCE_EXHAUSTED);
    const lease = { jobId: bot.id, attempt: 1, fence: 1 };
    const result = { outcome: 2, message: 'because', statistics: undefined };
    const completions = settled([
      unary(connection.jobs, connection.jobs.completeJob, { lease, result }),
    ]);
    expect(await metric(master, 'api_in_flight{pool="calls"}')).toBe(7);
    await release();
    expect(await Promise.all([...reads.slice(0, 4), ...creations.slice(0, 2)])).toEqual(
      Array(6).fill(undefined),
    );
    expect((await completions[0])?.code).toBe(Code.NOT_FOUND);
    expect(await metric(master, 'api_in_flight{pool="calls"}')).toBe(0);
  });

  test('that wait, and heartbeat streams, are bounded by themselves', async () => {
    const settings = { PANDAFUZZ_LIMITS_MAX_WAITS: '1', PANDAFUZZ_LIMITS_MAX_STREAMS: '1' };
    const { connection } = await runMasterFor(settings);
    const bot = await registerBot(connection);
    const wait = { botId: bot.id, waitMs: 500, leaseTtlMs: 0 };
    const assign = () => unary(connection.jobs, connection.jobs.assignJob, wait);
    const [first, second] = await Promise.allSettled([assign(), assign()]);
    expect(first.status).toBe('fulfilled');
    expect(failureOf((second as PromiseRejectedResult).reason)?.code).toBe(Code.RESOURCE_EXHAUSTED);
  });
});
