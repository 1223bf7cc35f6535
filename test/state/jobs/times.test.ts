import { describe, expect, test } from '@jest/globals';
import { AttemptEnd, JobOutcome } from '../../../src/gen/pandafuzz/v1/job.js';
import { Fleet, only, runFor, running, timeouts } from '../fleet.js';

/** JobTimeouts: four times that use up nothing of each other's, turned by hand. */

const ttlMs = 30_000;
const offerMs = 10_000;
const uncharged = { failedAttempts: 0, refusedAttempts: 0 };

describe('times', () => {
  test('in the queue use up nothing of the run’s', async () => {
    const fleet = await Fleet.open();
    const { id } = await fleet.create({ timeouts: timeouts({ run: 60 }) });
    await fleet.pass(120_000);
    const bot = await fleet.bot(1);
    const lease = only(bot.offers());
    await fleet.pass(5000); // on offer, it does not run either
    bot.accept(lease);
    await runFor(fleet, bot, lease, 59_000);
    expect(bot.take('cancel')).toEqual([]);
    await runFor(fleet, bot, lease, 2000);
    expect(bot.take('cancel')).toMatchObject([{ lease }]);
    bot.say({ $case: 'cancelAck', value: { lease } });
    bot.done(lease, JobOutcome.CANCELLED);
    await fleet.settled();
    expect(await fleet.job(id)).toMatchObject({
      state: 'PENDING',
      failedAttempts: 1,
      lostAttempts: 0,
      cancelAcknowledgedAt: expect.any(Date),
    });
  });

  test('to the start do not count what the job itself waits for, and end with the start', async () => {
    const fleet = await Fleet.open();
    const notBefore = new Date(fleet.clock.now() + 120_000);
    const early = await fleet.create({ notBefore, timeouts: timeouts({ start: 30 }) });
    await fleet.pass(145_000);
    expect(await fleet.job(early.id)).toMatchObject({ state: 'PENDING' });
    const bot = await fleet.bot(1);
    const lease = only(bot.offers());
    bot.accept(lease);
    await runFor(fleet, bot, lease, 60_000);
    expect(await fleet.job(early.id)).toMatchObject({ state: 'RUNNING' });
    const late = await fleet.create({ timeouts: timeouts({ start: 30 }) });
    await fleet.pass(29_000);
    expect(await fleet.job(late.id)).toMatchObject({ state: 'PENDING' });
    await fleet.pass(2000);
    expect(await fleet.job(late.id)).toMatchObject({ state: 'DEAD', fence: 0 });
  });

  test('to the start begin anew when a bot is lost, and not when an offer came to nothing', async () => {
    const { fleet, id } = await running({ timeouts: timeouts({ start: 45 }) });
    await fleet.pass(ttlMs + 1000); // lost
    await fleet.pass(40_000);
    expect(await fleet.job(id)).toMatchObject({ state: 'PENDING', lostAttempts: 1 });
    const silent = await fleet.bot(1);
    expect(silent.offers()).toHaveLength(1);
    await fleet.pass(offerMs + 1000);
    expect(await fleet.job(id)).toMatchObject({ state: 'DEAD', lostAttempts: 1, ...uncharged });
  });

  test('of the whole go on through runs, losses and pauses', async () => {
    const { fleet, id, lease, bot } = await running({ timeouts: timeouts({ close: 90 }) });
    await runFor(fleet, bot, lease, 30_000);
    await fleet.pass(ttlMs + 1000);
    expect(await fleet.job(id)).toMatchObject({ state: 'PENDING', lostAttempts: 1 });
    const next = await fleet.bot(1);
    const second = only(next.offers());
    next.accept(second);
    await runFor(fleet, next, second, 35_000);
    expect(next.take('cancel')).toMatchObject([{ lease: second }]);
    next.done(second, JobOutcome.CANCELLED);
    await fleet.settled();
    expect(await fleet.job(id)).toMatchObject({ state: 'DEAD' });
  });

  test('a bot that does not stop when its run’s time is over loses the lease, and the attempt counts', async () => {
    const { fleet, id, lease, bot } = await running({ timeouts: timeouts({ run: 10 }) });
    await runFor(fleet, bot, lease, 11_000);
    expect(bot.take('cancel')).toHaveLength(1);
    await runFor(fleet, bot, lease, ttlMs - 5000);
    expect(await fleet.job(id)).toMatchObject({ state: 'RUNNING' });
    await runFor(fleet, bot, lease, 10_000);
    const job = await fleet.job(id);
    expect(job).toMatchObject({ failedAttempts: 1, lostAttempts: 0 });
    expect(job.attempts.at(-1)).toMatchObject({ fence: 1, end: AttemptEnd.TIMED_OUT });
  });
});
