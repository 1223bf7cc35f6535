import { describe, expect, test } from '@jest/globals';
import { JobOutcome } from '../../../src/gen/pandafuzz/v1/job.js';
import { testContext } from '../../harness.js';
import { Fleet, running } from '../fleet.js';

const ttlMs = 30_000;

/** Bots that are to finish what they have. */

describe('a drained bot', () => {
  const drain = (fleet: Fleet, botId: string) => fleet.state.bots.drain(testContext(), botId, true);
  const drainedAt = async (fleet: Fleet, botId: string) =>
    (await fleet.state.bots.get(testContext(), botId)).drainedAt;

  test('is drained when its last lease ends, also when it was lost meanwhile', async () => {
    const { fleet, bot } = await running();
    await drain(fleet, bot.botId);
    expect(await drainedAt(fleet, bot.botId)).toBeUndefined();
    bot.leave();
    await fleet.pass(ttlMs + 1000);
    expect(await drainedAt(fleet, bot.botId)).toBeInstanceOf(Date);
  });

  test('is on record with when that was wanted, heard and done, and is told when it is over', async () => {
    const { fleet, bot } = await running();
    const { botId } = bot;
    await drain(fleet, botId);
    bot.say({ $case: 'drainAck', value: {} });
    await fleet.settled();
    const heardAt = new Date(fleet.clock.now());
    await fleet.pass(1000);
    bot.say({ $case: 'drainAck', value: {} });
    await fleet.settled();
    expect(await fleet.state.bots.get(testContext(), botId)).toMatchObject({
      drainRequestedAt: heardAt,
      drainAcknowledgedAt: heardAt,
      drainedAt: undefined,
    });
    expect(bot.take('drain')).toHaveLength(1);
    const resumed = await fleet.state.bots.drain(testContext(), botId, false);
    expect(resumed).toMatchObject({
      drainRequestedAt: undefined,
      drainAcknowledgedAt: undefined,
    });
    expect(bot.take('resume')).toHaveLength(1);
    bot.say({ $case: 'drainAck', value: {} });
    await fleet.settled();
    expect((await fleet.state.bots.get(testContext(), botId)).drainAcknowledgedAt).toBeUndefined();
  });

  test('that pulls its work is drained when it has brought the result', async () => {
    const fleet = await Fleet.open();
    await fleet.create();
    const botId = await fleet.register();
    const assignment = await fleet.pull(botId);
    await drain(fleet, botId);
    expect(await fleet.pull(botId)).toBeUndefined();
    expect(await drainedAt(fleet, botId)).toBeUndefined();
    const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined };
    await fleet.state.jobs.complete(testContext(), assignment?.lease, result);
    await fleet.settled();
    expect(await drainedAt(fleet, botId)).toBeInstanceOf(Date);
  });
});
