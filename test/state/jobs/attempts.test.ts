import { describe, expect, test } from '@jest/globals';
import { LeasePhase } from '../../../src/gen/pandafuzz/v1/heartbeat.js';
import {
  AttemptEnd,
  JobLimits,
  JobOutcome,
  JobStatistics,
} from '../../../src/gen/pandafuzz/v1/job.js';
import type { Assignment, Lease } from '../../../src/gen/pandafuzz/v1/lease.js';
import { recordCrash } from '../../../src/store/ops/crashes/record-crash.js';
import { testContext } from '../../harness.js';
import { crashInput } from '../../store/inputs.js';
import { cancel, type Fleet, type Line, only, pause, running, timeouts } from '../fleet.js';

/** What a job's attempts add up to, and what is left of its limits for the next one. */

const ttlMs = 30_000;

const figures = (some: Partial<JobStatistics>) => JobStatistics.create(some);

/** Beats of one run, which count up by themselves. */
class Beats {
  #sequence = 0;

  constructor(
    private readonly bot: Line,
    private readonly lease: Lease,
  ) {}

  send(phase: LeasePhase, statistics?: JobStatistics): void {
    const leases = [{ lease: this.lease, phase, statistics }];
    const value = { sequence: ++this.#sequence, freeSlots: 0, resources: undefined, leases };
    this.bot.say({ $case: 'beat', value });
  }

  async through(fleet: Fleet, ms: number, phase: LeasePhase): Promise<void> {
    for (let left = ms; left > 0; left -= 5000) {
      this.send(phase);
      await fleet.pass(Math.min(left, 5000));
    }
  }
}

const assigned = (bot: Line): Assignment => {
  const [offer] = bot.take('assign');
  if (!offer?.assignment) throw new Error('there was no offer');
  return offer.assignment;
};

const limits = (some: Partial<JobLimits>) => JobLimits.create(some);
const first = figures({
  executions: 1000,
  executionsPerSecond: 50,
  elapsedMs: 400_000,
  coverage: 30,
  crashHits: 5,
  crashInputsKept: 2,
});

describe('a job whose bot was lost half way', () => {
  async function lostHalfWay(spec: Partial<JobLimits>) {
    const { fleet, id, bot, lease } = await running({ limits: limits(spec) });
    new Beats(bot, lease).send(LeasePhase.FUZZING, first);
    await fleet.settled();
    return { fleet, id, bot, lease };
  }

  test('is fuzzed for what is left of its duration, and shows the sum', async () => {
    const { fleet, id, bot } = await lostHalfWay({ maxDurationSeconds: 600 });
    const lastBeat = fleet.clock.now();
    bot.leave();
    await fleet.pass(ttlMs + 1000);
    expect(await fleet.job(id)).toMatchObject({ state: 'PENDING', statistics: first });
    const other = await fleet.bot(1);
    const { lease, spec } = assigned(other);
    expect(spec?.limits?.maxDurationSeconds).toBe(200);
    expect((await fleet.job(id)).spec?.limits?.maxDurationSeconds).toBe(600);
    expect(await fleet.job(id)).toMatchObject({
      statistics: { executions: 1000, elapsedMs: 400_000 },
      statisticsAt: new Date(lastBeat),
    });
    const second = figures({
      executions: 500,
      executionsPerSecond: 20,
      elapsedMs: 200_000,
      coverage: 25,
      crashHits: 1,
    });
    new Beats(other, lease as Lease).send(LeasePhase.FUZZING, second);
    expect(await fleet.job(id)).toMatchObject({
      statistics: {
        ...{ executions: 1500, elapsedMs: 600_000, executionsPerSecond: 20 },
        ...{ coverage: 30, crashHits: 6, crashInputsKept: 2 },
      },
      attempts: [{ statistics: second }, { statistics: first, end: AttemptEnd.LOST }],
    });
    const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: second };
    other.say({ $case: 'jobDone', value: { lease, result } });
    await fleet.settled();
    const done = await fleet.job(id);
    expect(done).toMatchObject({ state: 'COMPLETED', statistics: { executions: 1500 } });
    expect(done.statistics?.executionsPerSecond).toBe(2.5); // the mean, not zero
    const parts = done.attempts.map(({ statistics }) => statistics?.executions ?? 0);
    expect(parts).toEqual([500, 1000]);
  });

  test('has its figures after a restart of the master, too', async () => {
    const { fleet, id, bot } = await lostHalfWay({ maxDurationSeconds: 600 });
    bot.leave();
    await fleet.state.stop();
    await fleet.start();
    await fleet.pass(ttlMs + 1000);
    const job = await fleet.job(id);
    expect(job).toMatchObject({ state: 'PENDING', statistics: { executions: 1000 } });
    expect(job.attempts[0]?.statistics?.executions).toBe(1000);
    expect(assigned(await fleet.bot(1)).spec?.limits?.maxDurationSeconds).toBe(200);
  });

  test('is fuzzed for a second where nothing was left, and for all of it when revived', async () => {
    const { fleet, id, bot, lease } = await lostHalfWay({ maxDurationSeconds: 400 });
    const result = {
      outcome: JobOutcome.FAILED,
      message: 'why',
      final: true,
      statistics: undefined,
    };
    bot.say({ $case: 'jobDone', value: { lease, result } });
    await fleet.settled();
    expect(await fleet.job(id)).toMatchObject({ state: 'DEAD', statistics: { executions: 1000 } });
    await fleet.state.jobs.retry(testContext(), id);
    const again = await fleet.bot(1);
    const revived = assigned(again);
    expect(revived.spec?.limits?.maxDurationSeconds).toBe(400);
    new Beats(again, revived.lease as Lease).send(
      LeasePhase.FUZZING,
      figures({ elapsedMs: 399_900 }),
    );
    again.leave();
    await fleet.pass(ttlMs + 1000);
    expect(assigned(await fleet.bot(1)).spec?.limits?.maxDurationSeconds).toBe(1);
  });

  test('ends after the crashes that are left, without counting the same inputs again', async () => {
    const { fleet, id, bot, lease } = await lostHalfWay({ maxDurationSeconds: 600, maxCrashes: 3 });
    const { attempt, fence } = lease;
    const crash = crashInput({ id, attempt, fence }, 'a');
    await fleet.store.run(testContext(), recordCrash, crash);
    bot.leave();
    await fleet.pass(ttlMs + 1000);
    const { spec, earlier } = assigned(await fleet.bot(1));
    expect(spec?.limits?.maxCrashes).toBe(2);
    expect(earlier?.crashInputs).toEqual(['a'.repeat(64)]);
  });
});

describe('a bot that beats and does not stop', () => {
  test.each([
    ['cancelled', cancel, 'CANCELLED'],
    ['paused', pause, 'PAUSED'],
  ] as const)(
    'loses a job that is %s after a TTL, and its late result is stale',
    async (...row) => {
      const [, wish, state] = row;
      const { fleet, id, bot, lease } = await running({ maxAttempts: 1 });
      const beats = new Beats(bot, lease);
      beats.send(LeasePhase.FUZZING);
      await wish(fleet, id);
      await beats.through(fleet, ttlMs - 5000, LeasePhase.FUZZING);
      expect(await fleet.job(id)).toMatchObject({ state: 'RUNNING' });
      await beats.through(fleet, 15_000, LeasePhase.FUZZING);
      const job = await fleet.job(id);
      expect(job).toMatchObject({ state, failedAttempts: 0 });
      expect(job.attempts[0]).toMatchObject({ end: AttemptEnd.NOT_STOPPED });
      expect(bot.take('beatAck').at(-1)?.leases).toMatchObject([{ remainingTtlMs: 0 }]);
      bot.done(lease);
      await fleet.settled();
      expect(bot.take('jobDoneAck')).toMatchObject([
        { outcome: { $case: 'refusal', value: { reason: 'STALE_LEASE' } } },
      ]);
      expect(await fleet.job(id)).toMatchObject({ state });
    },
  );

  test('uses up an attempt where the time of the run is over', async () => {
    const { fleet, id, bot, lease } = await running({
      maxAttempts: 1,
      timeouts: timeouts({ run: 10 }),
    });
    await new Beats(bot, lease).through(fleet, 10_000 + 2 * ttlMs, LeasePhase.FUZZING);
    const job = await fleet.job(id);
    expect(job).toMatchObject({ state: 'DEAD', failedAttempts: 1 });
    expect(job.attempts).toMatchObject([{ end: AttemptEnd.TIMED_OUT }]);
  });

  test('may take longer to send what it has found', async () => {
    const { fleet, id, bot, lease } = await running();
    const beats = new Beats(bot, lease);
    await cancel(fleet, id);
    await beats.through(fleet, 5 * ttlMs, LeasePhase.FINISHING);
    expect(await fleet.job(id)).toMatchObject({ state: 'RUNNING' });
    await beats.through(fleet, 6 * ttlMs, LeasePhase.FINISHING);
    expect(await fleet.job(id)).toMatchObject({ state: 'CANCELLED' });
  });

  test('is asked to stop when it fuzzes beyond the duration, and then loses the job to another', async () => {
    const { fleet, id, bot, lease } = await running({ limits: limits({ maxDurationSeconds: 60 }) });
    const beats = new Beats(bot, lease);
    await beats.through(fleet, 60_000, LeasePhase.PREPARING); // that is no fuzzing
    await beats.through(fleet, 115_000, LeasePhase.FUZZING);
    expect(bot.take('cancel')).toEqual([]);
    await beats.through(fleet, 15_000, LeasePhase.FUZZING);
    expect(bot.take('cancel')).toMatchObject([{ lease }]);
    expect(await fleet.job(id)).toMatchObject({ state: 'RUNNING' });
    await beats.through(fleet, ttlMs + 10_000, LeasePhase.FUZZING);
    expect((await fleet.job(id)).attempts).toMatchObject([{ end: AttemptEnd.NOT_STOPPED }]);
    const other = await fleet.bot(1);
    expect(only(other.offers())).toMatchObject({ jobId: id, attempt: 1, fence: 2 });
  });
});

describe('a lease of another bot', () => {
  test('is not ended by a result, wherever it is said', async () => {
    const { fleet, id, bot, lease } = await running();
    const thief = await fleet.bot(0);
    thief.done(lease);
    await fleet.settled();
    const refused = { outcome: { $case: 'refusal', value: { reason: 'STALE_LEASE' } } };
    expect(thief.take('jobDoneAck')).toMatchObject([refused]);
    const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined };
    const named = { ...lease, botId: thief.botId };
    const call = fleet.state.jobs.complete(testContext(), named, result);
    await expect(call).rejects.toMatchObject({ name: 'StaleLeaseError' });
    expect(await fleet.job(id)).toMatchObject({ state: 'RUNNING' });
    bot.done(lease);
    await fleet.settled();
    expect(await fleet.job(id)).toMatchObject({ state: 'COMPLETED' });
    thief.done(lease); // the same words, and not its receipt
    await fleet.settled();
    expect(thief.take('jobDoneAck')).toMatchObject([refused]);
  });

  test('keeps a crash as late, under the name of the bot that sent it', async () => {
    const { fleet, id, lease } = await running();
    const thief = await fleet.bot(0);
    const crash = { ...crashInput({ ...lease, id }, 'b'), botId: thief.botId };
    const { late, crashId } = await fleet.store.run(testContext(), recordCrash, crash);
    expect(late).toBe(true);
    expect(await fleet.state.crashes.get(testContext(), crashId)).toMatchObject({
      botId: thief.botId,
    });
  });
});
