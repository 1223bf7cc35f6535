import { describe, expect, test } from '@jest/globals';
import { TimeoutError } from '../../../src/core/errors.js';
import { newId } from '../../../src/core/ids.js';
import { JobOutcome, JobSpec } from '../../../src/gen/pandafuzz/v1/job.js';
import type { Operation } from '../../../src/store/operation.js';
import type { Settled, Store } from '../../../src/store/store.js';
import { testContext } from '../../harness.js';
import { target } from '../../store/inputs.js';
import { Fleet, only } from '../fleet.js';

const ttlMs = 30_000;
const late = () => new TimeoutError({ operation: 'late', durationMs: 1 });

/** The next write of this name is committed, and its caller has given up by then. */
function loseAnswer(fleet: Fleet, name: string): void {
  const { run, runEach } = fleet.store;
  let isLost = false;
  const isNext = (operation: { name: string }) => operation.name === name && !isLost;
  const lossy: Pick<Store, 'run' | 'runEach'> = {
    async run(ctx, operation, input) {
      const loses = isNext(operation);
      isLost ||= loses;
      const answer = await run(ctx, operation, input);
      if (loses) throw late();
      return answer;
    },
    async runEach<Input, Output>(
      ...[ctx, operation, inputs]: Parameters<typeof runEach<Input, Output>>
    ): Promise<Settled<Output>[]> {
      const loses = isNext(operation as Operation<Input, Output>);
      isLost ||= loses;
      const answers = await runEach(ctx, operation, inputs);
      return loses ? answers.map(() => ({ ok: false, error: late() })) : answers;
    },
  };
  Object.assign(fleet.store, lossy);
}

describe('a job whose announcement is lost goes on', () => {
  test('when its bot was lost, and the write that gave it back was answered too late', async () => {
    const fleet = await Fleet.open();
    const gone = await fleet.bot(1);
    const { id } = await fleet.create();
    await fleet.settled();
    gone.accept(only(gone.offers()));
    const other = await fleet.bot(1);
    loseAnswer(fleet, 'release_lease');
    gone.isOver = true;
    for (let left = ttlMs + 6000; left > 0; left -= 5000) {
      other.beat(1);
      await fleet.pass(5000);
    }
    expect(only(other.offers())).toMatchObject({ jobId: id, fence: 2 });
  });

  test('when the result that gave it back is repeated', async () => {
    const fleet = await Fleet.open({ PANDAFUZZ_JOBS_RETRY_DELAY: '0ms' });
    const bot = await fleet.bot(1);
    const { id } = await fleet.create();
    await fleet.settled();
    const lease = only(bot.offers());
    bot.accept(lease);
    await fleet.settled();
    loseAnswer(fleet, 'complete_job');
    bot.done(lease, JobOutcome.FAILED);
    await fleet.settled();
    bot.done(lease, JobOutcome.FAILED);
    bot.beat(1);
    await fleet.settled();
    expect(only(bot.offers())).toMatchObject({ jobId: id, fence: 2 });
  });

  test('when CreateJob is repeated, and when it is not', async () => {
    const fleet = await Fleet.open();
    const bot = await fleet.bot(2);
    const spec = JobSpec.create({ engine: 'libfuzzer', targetSha256: target.sha256 });
    const request = { spec, requestId: newId() };
    loseAnswer(fleet, 'create_job');
    await expect(fleet.state.jobs.create(testContext(), request)).rejects.toThrow(TimeoutError);
    const { id } = await fleet.state.jobs.create(testContext(), request);
    await fleet.settled();
    const lease = only(bot.offers());
    expect(lease).toMatchObject({ jobId: id });
    bot.done(lease);
    loseAnswer(fleet, 'create_job');
    const lost = { spec, requestId: newId() };
    await expect(fleet.state.jobs.create(testContext(), lost)).rejects.toThrow(TimeoutError);
    await fleet.pass(ttlMs + 1000);
    expect(only(bot.offers()).jobId).not.toBe(id);
  });
});
