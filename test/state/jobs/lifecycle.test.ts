import { describe, expect, test } from '@jest/globals';
import { AttemptEnd, JobOutcome } from '../../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../../src/gen/pandafuzz/v1/lease.js';
import { cancel, Fleet, type Line, only, pause, runFor, running } from '../fleet.js';

/** A job's way as the head of state/leases.ts draws it, with time turned by hand. */

const ttlMs = 30_000;
const offerMs = 10_000;
const uncharged = { failedAttempts: 0, refusedAttempts: 0 };

describe('an offer', () => {
  test('that is not answered goes back after its time, and costs nothing', async () => {
    const fleet = await Fleet.open();
    const { id } = await fleet.create({ maxAttempts: 1 });
    const bot = await fleet.bot(1);
    expect(bot.offers()).toHaveLength(1);
    await fleet.pass(offerMs - 500);
    expect(await fleet.job(id)).toMatchObject({ state: 'ASSIGNED' });
    await fleet.pass(1000);
    const job = await fleet.job(id);
    expect(job).toMatchObject({ state: 'PENDING', ...uncharged, lostAttempts: 0, fence: 1 });
    expect(job.attempts).toMatchObject([{ attempt: 1, end: AttemptEnd.UNANSWERED }]);
  });

  test('that is refused uses up an attempt, and waits longer after each', async () => {
    const fleet = await Fleet.open({ PANDAFUZZ_JOBS_RETRY_DELAY: '10s' });
    const { id } = await fleet.create({ maxAttempts: 3 });
    const bot = await fleet.bot(1);
    const waits: number[] = [];
    for (let refusals = 1; ; refusals++) {
      bot.reject(only(bot.offers()));
      await fleet.settled();
      const job = await fleet.job(id);
      expect(job).toMatchObject({ failedAttempts: 0, refusedAttempts: refusals, lostAttempts: 0 });
      if (job.state === 'DEAD') break;
      bot.beat(1);
      let waitedMs = 0;
      for (; (await fleet.job(id)).state === 'PENDING'; waitedMs += 500) await fleet.pass(500);
      waits.push(waitedMs);
    }
    expect(waits).toEqual([10_000, 20_000]);
    expect((await fleet.job(id)).result?.message).toBe('the bot refused it: no room');
  });
});

describe('a lease', () => {
  test('that is not renewed is lost after its TTL, at no cost of an attempt', async () => {
    const { fleet, id, lease, bot } = await running({ maxAttempts: 1 });
    await runFor(fleet, bot, lease, 10 * ttlMs);
    expect(await fleet.job(id)).toMatchObject({ state: 'RUNNING', fence: 1 });
    await fleet.pass(ttlMs - 6000);
    expect(await fleet.job(id)).toMatchObject({ state: 'RUNNING', fence: 1 });
    await fleet.pass(2000);
    expect(await fleet.job(id)).toMatchObject({ state: 'PENDING', ...uncharged, lostAttempts: 1 });
  });

  test('that is over is over for its bot: no renewal, acknowledgement, stop or result counts', async () => {
    const { fleet, id, lease, bot } = await running();
    await fleet.pass(ttlMs + 1000);
    const other = await fleet.bot(1);
    const valid = only(other.offers());
    expect(valid).toEqual({ jobId: id, attempt: 1, fence: 2 });
    bot.beat(0, [lease]);
    bot.accept(lease);
    bot.say({ $case: 'cancelAck', value: { lease } });
    bot.done(lease);
    await fleet.settled();
    expect(bot.take('beatAck').at(-1)?.leases).toMatchObject([{ lease, remainingTtlMs: 0 }]);
    expect(bot.take('jobDoneAck')).toMatchObject([
      { outcome: { $case: 'refusal', value: { reason: 'STALE_LEASE', retryAfterMs: 0 } } },
    ]);
    expect(await fleet.job(id)).toMatchObject({ state: 'ASSIGNED', fence: 2 });
    other.accept(valid);
    other.done(valid);
    await fleet.settled();
    expect(await fleet.job(id)).toMatchObject({ state: 'COMPLETED', fence: 2 });
  });

  test('is of the bot it was given to: another one cannot renew, refuse or resume it', async () => {
    const { fleet, id, lease } = await running();
    const thief = fleet.hello(await fleet.register(), 0, [lease]);
    await fleet.settled();
    expect(thief.take('welcome')).toMatchObject([{ leases: [{ lease, keep: false }] }]);
    thief.beat(0, [lease]);
    thief.reject(lease);
    await fleet.settled();
    expect(thief.take('beatAck')).toMatchObject([{ leases: [{ remainingTtlMs: 0 }] }]);
    expect(await fleet.job(id)).toMatchObject({ state: 'RUNNING', fence: 1 });
  });

  test('has its whole TTL after a restart, however much of it was gone', async () => {
    const { fleet, id, lease, bot } = await running();
    await fleet.pass(ttlMs - 2000);
    bot.leave();
    await fleet.state.stop();
    await fleet.start();
    await fleet.pass(ttlMs - 2000);
    const back = fleet.hello(bot.botId, 0, [lease]);
    await fleet.settled();
    expect(back.take('welcome')).toMatchObject([{ leases: [{ lease, keep: true }] }]);
    expect(await fleet.job(id)).toMatchObject({ state: 'RUNNING', fence: 1, lostAttempts: 0 });
  });
});

describe('an attempt that ended without success', () => {
  const endings = {
    failed: (bot: Line, lease: Lease) => bot.done(lease, JobOutcome.FAILED),
    infrastructure: (bot: Line, lease: Lease) => bot.done(lease, JobOutcome.INFRASTRUCTURE),
    'stopped unasked': (bot: Line, lease: Lease) => bot.done(lease, JobOutcome.CANCELLED),
    lost: async (_bot: Line, _lease: Lease, fleet: Fleet) => fleet.pass(ttlMs + 1000),
  };
  const charges = { failed: 1, infrastructure: 0, 'stopped unasked': 0, lost: 0 };

  for (const [name, end] of Object.entries(endings)) {
    const failedAttempts = charges[name as keyof typeof charges];

    test(`${name}: goes back, and is counted where it belongs`, async () => {
      const { fleet, id, lease, bot } = await running({ maxAttempts: 2 });
      await end(bot, lease, fleet);
      await fleet.settled();
      const lostAttempts = 1 - failedAttempts;
      expect(await fleet.job(id)).toMatchObject({
        state: 'PENDING',
        failedAttempts,
        refusedAttempts: 0,
        lostAttempts,
      });
    });

    test(`${name}: is cancelled before it is paused, if both were wanted, and dead before that`, async () => {
      for (const wishes of [[cancel], [pause], [pause, cancel]]) {
        const { fleet, id, lease, bot } = await running({ maxAttempts: 1 });
        for (const wish of wishes) await wish(fleet, id);
        await end(bot, lease, fleet);
        await fleet.settled();
        const isDead = failedAttempts === 1 && !wishes.includes(cancel);
        const state = wishes.includes(cancel) ? 'CANCELLED' : isDead ? 'DEAD' : 'PAUSED';
        expect(await fleet.job(id)).toMatchObject({ state });
      }
    });
  }
});
