import { describe, expect, test } from '@jest/globals';
import { BotState } from '../../../src/gen/pandafuzz/v1/bot.js';
import { testContext } from '../../harness.js';
import { Fleet, only } from '../fleet.js';

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

  test('is asked for its next beat with each answer: soon at first, once an interval then', async () => {
    const fleet = await Fleet.open();
    const bot = await fleet.bot(1);
    const inMs = [1, 2, 3].map(() => {
      bot.beat(1, []);
      return bot.take('beatAck')[0]?.nextBeatInMs ?? 0;
    });
    const { intervals } = fleet.state.sessionParts;
    expect(inMs[0]).toBeGreaterThan(0);
    expect(inMs[0]).toBeLessThan(0.9 * intervals.heartbeatMs);
    for (const next of inMs.slice(1)) {
      expect(Math.abs(next - intervals.heartbeatMs)).toBeLessThanOrEqual(50);
    }
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

  test('on which nothing is said for two to three times the TTL ends, and only that', async () => {
    const fleet = await Fleet.open({ PANDAFUZZ_LEASES_TTL: '30s' });
    const [silent, talking] = [await fleet.bot(1), await fleet.bot(0)];
    const pass = async (ms: number) => {
      for (let left = ms; left > 0; left -= 10_000) {
        await fleet.pass(10_000);
        talking.beat(0);
      }
    };
    await pass(60_000);
    expect(silent.error).toBeUndefined();
    await pass(40_000);
    expect(silent.error?.name).toBe('SilentError');
    expect(talking.error).toBeUndefined();
    expect(await stateOf(fleet, silent.botId)).toBe(BotState.OFFLINE);
    await fleet.create();
    await fleet.settled();
    expect(silent.offers()).toEqual([]);
    const back = fleet.hello(silent.botId, 1);
    await fleet.settled();
    expect(back.offers()).toHaveLength(1);
  });

  test('outlives a master that stood still for hours', async () => {
    const fleet = await Fleet.open({ PANDAFUZZ_LEASES_TTL: '30s' });
    const bot = await fleet.bot(1);
    fleet.clock.freeze(7_200_000);
    fleet.clock.advance(1000);
    await fleet.settled();
    bot.beat(1);
    await fleet.pass(30_000);
    expect(bot.error).toBeUndefined();
  });
});
