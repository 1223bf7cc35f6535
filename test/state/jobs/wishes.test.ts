import { describe, expect, test } from '@jest/globals';
import { JobOutcome } from '../../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../../src/gen/pandafuzz/v1/lease.js';
import { cancel, endOfTurn, Fleet, only, pause, resume, running } from '../fleet.js';

/** Cancels and pauses, on their way to a bot and back. */

describe('a wish', () => {
  test('to stop says when it was wanted, heard and done, each time anew', async () => {
    const { fleet, id, lease, bot } = await running();
    const stop = async (wish: typeof cancel, held: Lease) => {
      await fleet.pass(1000);
      await wish(fleet, id);
      await fleet.pass(1000);
      bot.say({ $case: 'cancelAck', value: { lease: held } });
      await fleet.pass(1000);
      bot.done(held, JobOutcome.CANCELLED);
      await fleet.settled();
      return fleet.job(id);
    };
    const paused = await stop(pause, lease);
    expect(paused).toMatchObject({ state: 'PAUSED', failedAttempts: 0, lostAttempts: 0 });
    const after = (from: Date | undefined, to: Date | undefined) =>
      (to?.getTime() ?? Number.NaN) - (from?.getTime() ?? Number.NaN);
    expect(after(paused.pauseRequestedAt, paused.cancelAcknowledgedAt)).toBe(1000);
    expect(after(paused.cancelAcknowledgedAt, paused.attempts[0]?.endedAt)).toBe(1000);

    await resume(fleet, id);
    bot.beat(1);
    await fleet.settled();
    const second = only(bot.offers());
    bot.accept(second);
    await fleet.settled();
    const cancelled = await stop(cancel, second);
    expect(cancelled).toMatchObject({ state: 'CANCELLED' });
    expect(after(cancelled.cancelRequestedAt, cancelled.cancelAcknowledgedAt)).toBe(1000);
    expect(after(cancelled.cancelAcknowledgedAt, cancelled.finishedAt)).toBe(1000);
  });

  test('to pause that is taken back while the job runs is forgotten', async () => {
    const { fleet, id, lease, bot } = await running();
    await pause(fleet, id);
    await resume(fleet, id);
    bot.beat(0, [lease]);
    await fleet.settled();
    expect(bot.take('beatAck').at(-1)?.leases).toMatchObject([{ cancelRequested: false }]);
    bot.done(lease, JobOutcome.FAILED);
    await fleet.settled();
    expect(await fleet.job(id)).toMatchObject({ state: 'PENDING', failedAttempts: 1 });
  });

  for (const [name, wish] of Object.entries({ cancel, pause })) {
    test(`a ${name} while the job is on its way to a bot reaches that bot`, async () => {
      const fleet = await Fleet.open();
      const bot = await fleet.bot(1);
      const { id } = await fleet.create();
      await endOfTurn(); // its claim is under way
      await wish(fleet, id);
      await fleet.settled();
      const lease = only(bot.offers());
      bot.accept(lease);
      bot.beat(0, [lease]);
      await fleet.settled();
      expect(bot.take('beatAck').at(-1)?.leases).toMatchObject([{ cancelRequested: true }]);
      expect(bot.take('cancel')).toMatchObject([{ lease }]);
    });
  }
});
