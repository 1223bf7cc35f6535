import { describe, expect, test } from '@jest/globals';
import { JobOutcome } from '../../../src/gen/pandafuzz/v1/job.js';
import { listEvents } from '../../../src/store/ops/events/list-events.js';
import { testContext } from '../../harness.js';
import { cancel, endOfTurn, Fleet, only, running } from '../fleet.js';

const ttlMs = 30_000;

/** The races named at the head of state/leases.ts, decided both ways. */

describe('races', () => {
  test('a result that comes before the lease’s end counts, and one after it does not', async () => {
    for (const isInTime of [true, false]) {
      const { fleet, id, lease, bot } = await running();
      if (isInTime) bot.done(lease);
      await endOfTurn(); // what came goes to the store
      fleet.clock.advance(ttlMs + 1000);
      if (!isInTime) bot.done(lease);
      await fleet.settled();
      const [ack] = bot.take('jobDoneAck');
      expect(ack?.outcome?.$case).toBe(isInTime ? 'receipt' : 'refusal');
      expect(await fleet.job(id)).toMatchObject({
        state: isInTime ? 'COMPLETED' : 'PENDING',
        lostAttempts: isInTime ? 0 : 1,
      });
    }
  });

  test('a job taken and done at once is on record as both, in that order', async () => {
    const fleet = await Fleet.open();
    const bot = await fleet.bot(1);
    const { id } = await fleet.create();
    await fleet.settled();
    const lease = only(bot.offers());
    bot.accept(lease);
    bot.done(lease);
    await fleet.settled();
    expect(bot.take('jobDoneAck')).toMatchObject([{ outcome: { $case: 'receipt' } }]);
    const at = new Date(fleet.clock.now());
    expect(await fleet.job(id)).toMatchObject({
      state: 'COMPLETED',
      startedAt: at,
      finishedAt: at,
      attempts: [{ acknowledgedAt: at, endedAt: at }],
    });
    const page = { cursor: 0, jobId: id, limit: 10 };
    const { events } = await fleet.store.run(testContext(), listEvents, page);
    const kinds = ['job.created', 'job.assigned', 'job.running', 'job.completed'];
    expect(events.map(({ event }) => event.kind)).toEqual(kinds);
  });

  test('a cancel and a result at once: what is said first counts, and both are on record', async () => {
    for (const isCancelFirst of [true, false]) {
      const { fleet, id, lease, bot } = await running();
      if (isCancelFirst) await cancel(fleet, id);
      bot.done(lease, JobOutcome.FAILED);
      if (!isCancelFirst) await cancel(fleet, id);
      await fleet.settled();
      expect(await fleet.job(id)).toMatchObject({
        state: 'CANCELLED',
        cancelRequestedAt: expect.any(Date),
        failedAttempts: 1,
      });
    }
    const { fleet, id, lease, bot } = await running();
    await cancel(fleet, id);
    bot.done(lease);
    await fleet.settled();
    expect(await fleet.job(id)).toMatchObject({
      state: 'COMPLETED',
      cancelRequestedAt: expect.any(Date),
    });
    await expect(cancel(fleet, id)).rejects.toMatchObject({ fields: { reason: 'JOB_FINISHED' } });
  });

  test('a result said twice at once is answered twice with the same', async () => {
    const { fleet, id, lease, bot } = await running();
    bot.done(lease);
    bot.done(lease);
    await fleet.settled();
    const [first, second] = bot.take('jobDoneAck');
    expect(first?.outcome).toMatchObject({ $case: 'receipt', value: { jobId: id } });
    expect(second?.outcome).toEqual(first?.outcome);
  });
});
