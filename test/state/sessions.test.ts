import { describe, expect, test } from '@jest/globals';
import { BotState } from '../../src/gen/pandafuzz/v1/bot.js';
import { testContext } from '../harness.js';
import { Fleet, only } from './fleet.js';

/** Who is on the line, while streams come and go in a hurry. */

const stateOf = async (fleet: Fleet, botId: string) =>
  (await fleet.state.bots.get(testContext(), botId)).state;

describe('a stream', () => {
  test('that broke off before its Hello was answered puts nobody on the line', async () => {
    const fleet = await Fleet.open();
    const botId = await fleet.register();
    const line = fleet.hello(botId, 1);
    line.isOver = true;
    await fleet.settled();
    expect(await stateOf(fleet, botId)).toBe(BotState.OFFLINE);
    const { id } = await fleet.create();
    await fleet.settled();
    expect(await fleet.job(id)).toMatchObject({ state: 'PENDING', fence: 0 });
  });

  test('that broke off so neither ends the bot’s next one nor takes its leases', async () => {
    const fleet = await Fleet.open();
    await fleet.create();
    const bot = await fleet.bot(1);
    const lease = only(bot.offers());
    bot.accept(lease);
    const broken = fleet.hello(bot.botId, 0);
    broken.isOver = true;
    await fleet.settled();
    expect(bot.error).toBeUndefined();
    bot.beat(0, [lease]);
    expect(bot.take('beatAck')).toMatchObject([{ leases: [{ cancelRequested: false }] }]);
    expect(bot.take('beatAck')).toEqual([]);
  });

  test('of the same bot ends the earlier one, and takes its place in the line', async () => {
    const fleet = await Fleet.open();
    const older = await fleet.bot(1);
    const newer = fleet.hello(older.botId, 1);
    await fleet.settled();
    expect(older.error?.name).toBe('ReplacedError');
    await fleet.create();
    await fleet.create();
    await fleet.settled();
    expect([older.offers().length, newer.offers().length]).toEqual([0, 1]);
    older.leave(); // its end, heard of later
    expect(await stateOf(fleet, older.botId)).toBe(BotState.ONLINE);
  });

  test('of the same bot stays when the earlier one’s Hello is looked up last', async () => {
    const fleet = await Fleet.open();
    const botId = await fleet.register();
    const { sessionParts } = fleet.state;
    const slow = Promise.withResolvers<void>();
    const store = new Proxy(sessionParts.store, {
      get: (real, property) =>
        property === 'run'
          ? (...asked: Parameters<typeof real.run>) => slow.promise.then(() => real.run(...asked))
          : Reflect.get(real, property, real),
    });
    const older = fleet.hello(botId, 1, [], { ...sessionParts, store });
    const newer = fleet.hello(botId, 1);
    await fleet.settled();
    slow.resolve();
    await fleet.settled();
    expect(older.error?.name).toBe('ReplacedError');
    expect(newer.error).toBeUndefined();
    await fleet.create();
    await fleet.settled();
    expect([older.offers().length, newer.offers().length]).toEqual([0, 1]);
  });
});
