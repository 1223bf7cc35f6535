import { describe, expect, test } from '@jest/globals';
import { newId } from '../../../src/core/ids.js';
import type { RegisterBotRequest } from '../../../src/gen/pandafuzz/v1/bot_service.js';
import { testContext } from '../../harness.js';
import { Fleet, only } from '../fleet.js';

/** Bots of one name, and processes of one bot. */

const heartbeatMs = 5000;

function register(fleet: Fleet, offer: Partial<RegisterBotRequest>) {
  const bot = {
    engines: ['libfuzzer'],
    slots: 1,
    labels: {},
    version: '',
    memoryMib: 0,
    diskMib: 0,
    engineDetails: [],
  };
  return fleet.state.bots.register(testContext(), { name: 'north', ...bot, ...offer });
}

/** Registers, and opens a stream as this process. */
async function come(fleet: Fleet, identity: string, instanceId = newId(), name = 'north') {
  const bot = await register(fleet, { name, identity, instanceId });
  const line = fleet.hello(bot.id, 1, [], fleet.state.sessionParts, instanceId);
  await fleet.settled();
  return { bot, line, instanceId };
}

const names = async (fleet: Fleet) =>
  (await fleet.state.bots.list(testContext(), { pageSize: 0, pageToken: '' })).bots
    .map(({ name, wantedName }) => (wantedName ? `${name} for ${wantedName}` : name))
    .sort();

describe('a bot', () => {
  test('whose name a live bot has gets a number, and keeps it', async () => {
    const fleet = await Fleet.open();
    const identities = [newId(), newId(), newId()];
    const bots = [];
    for (const identity of identities) bots.push(await come(fleet, identity));
    expect(await names(fleet)).toEqual(['north', 'north-2 for north', 'north-3 for north']);
    for (const { line } of bots) line.leave();
    await fleet.pass(1000);
    const again = await register(fleet, { identity: identities[1] as string });
    expect(again).toMatchObject({ id: bots[1]?.bot.id, name: 'north-2', wantedName: 'north' });
  });

  test('has its name from its registration on, before its Hello', async () => {
    const fleet = await Fleet.open();
    const [first, second] = [newId(), newId()];
    const { id } = await register(fleet, { identity: first });
    expect(await register(fleet, { identity: second })).toMatchObject({ name: 'north-2' });
    expect(await register(fleet, { identity: first })).toMatchObject({ id, name: 'north' });
    await fleet.pass(11_000);
    expect(await register(fleet, { identity: newId() })).toMatchObject({ id, name: 'north' });
  });

  test('is its identity, whatever it is called now', async () => {
    const fleet = await Fleet.open();
    const identity = newId();
    const { id } = await register(fleet, { identity });
    expect(await register(fleet, { identity, name: 'south' })).toMatchObject({ id, name: 'south' });
    expect(await names(fleet)).toEqual(['south']);
  });

  test('gets the name of one that is gone, with its row', async () => {
    const fleet = await Fleet.open();
    const { bot: gone, line } = await come(fleet, newId());
    line.leave();
    const { bot } = await come(fleet, newId());
    expect(bot).toMatchObject({ id: gone.id, name: 'north', wantedName: '' });
    expect(await names(fleet)).toEqual(['north']);
  });

  test('that changes its name to that of one that is gone leaves one row', async () => {
    const fleet = await Fleet.open();
    const identity = newId();
    await register(fleet, { name: 'south', identity: newId() });
    const { id } = await register(fleet, { identity });
    await fleet.pass(11_000);
    expect(await register(fleet, { identity, name: 'south' })).toMatchObject({ id, name: 'south' });
    expect(await names(fleet)).toEqual(['south']);
  });

  test('does not get the name of one that is offline and still holds a lease', async () => {
    const fleet = await Fleet.open();
    const { line } = await come(fleet, newId());
    line.beat(1);
    await fleet.create();
    await fleet.settled();
    line.accept(only(line.offers()));
    line.leave();
    const { bot } = await come(fleet, newId());
    expect(bot).toMatchObject({ name: 'north-2', wantedName: 'north' });
  });

  test('of an older version keeps its row when it is upgraded, and is who its name says', async () => {
    const fleet = await Fleet.open();
    const { id } = await register(fleet, {});
    expect(await register(fleet, {})).toMatchObject({ id });
    await fleet.pass(11_000); // it is stopped, upgraded and started
    const identity = newId();
    expect(await register(fleet, { identity })).toMatchObject({ id, name: 'north' });
    expect(await register(fleet, { identity })).toMatchObject({ id });
  });

  test('without an identity is refused the name of a live one', async () => {
    const fleet = await Fleet.open();
    await come(fleet, newId());
    await expect(register(fleet, {})).rejects.toMatchObject({
      fields: { reason: 'NAME_IS_TAKEN' },
    });
  });

  test('with the longest name still has room for a number', async () => {
    const fleet = await Fleet.open();
    const name = 'x'.repeat(128);
    await come(fleet, newId(), newId(), name);
    const { bot } = await come(fleet, newId(), newId(), name);
    expect(bot.name).toBe(`${'x'.repeat(126)}-2`);
  });
});

describe('a second process of a bot', () => {
  test('is refused while the first is live, at the door and on the stream, and never takes its place', async () => {
    const fleet = await Fleet.open();
    const identity = newId();
    const { bot, line } = await come(fleet, identity);
    const rival = newId();
    for (let seconds = 0; seconds < 60; seconds += heartbeatMs / 1000) {
      line.beat(1);
      await expect(
        register(fleet, { identity, instanceId: rival, slots: 9 }),
      ).rejects.toMatchObject({ fields: { reason: 'BOT_IS_LIVE' } });
      const second = fleet.hello(bot.id, 1, [], fleet.state.sessionParts, rival);
      await fleet.settled();
      expect(second.error).toMatchObject({ fields: { reason: 'BOT_IS_LIVE' } });
      await fleet.pass(heartbeatMs);
    }
    expect(line.error).toBeUndefined();
    const shown = await fleet.state.bots.get(testContext(), bot.id);
    expect(shown).toMatchObject({ slots: 1, rivalRefusedAt: expect.any(Date) });
  });

  test('takes over from one that has not been heard for two intervals, and not back again', async () => {
    const fleet = await Fleet.open();
    const identity = newId();
    const first = await come(fleet, identity);
    await fleet.pass(2 * heartbeatMs + 1000);
    const second = await come(fleet, identity);
    expect(second.line.error).toBeUndefined();
    expect(first.line.error?.name).toBe('ReplacedError');
    const back = fleet.hello(first.bot.id, 1, [], fleet.state.sessionParts, first.instanceId);
    await fleet.settled();
    expect(back.error).toMatchObject({ fields: { reason: 'BOT_IS_LIVE' } });
    expect(second.line.error).toBeUndefined();
  });

  test('takes over at once from one whose stream has ended', async () => {
    const fleet = await Fleet.open();
    const identity = newId();
    const { line, bot } = await come(fleet, identity);
    line.leave();
    const restarted = await come(fleet, identity);
    expect(restarted.bot.id).toBe(bot.id);
    expect(restarted.line.error).toBeUndefined();
  });
});

describe('a bot that is not seen for retention.bots', () => {
  const day = 86_400_000;
  const open = () =>
    Fleet.open({ PANDAFUZZ_RETENTION_BOTS: '1d', PANDAFUZZ_RETENTION_SWEEP_INTERVAL: '12h' });

  /** Time passes in one step; what is due runs once. */
  const jump = async (fleet: Fleet, ms: number) => {
    fleet.clock.advance(ms);
    await fleet.settled();
  };
  const rows = async (fleet: Fleet, ids: string[]) => {
    const kept = await Promise.all(
      ids.map((id) =>
        fleet.state.bots.get(testContext(), id).then(
          () => 1,
          () => 0,
        ),
      ),
    );
    return kept.reduce((sum: number, one) => sum + one, 0);
  };

  test('is forgotten; one with a stream stays', async () => {
    const fleet = await open();
    const { bot: live, line } = await come(fleet, newId(), newId(), 'live');
    const gone = await register(fleet, { identity: newId(), name: 'gone' });
    for (let passedMs = 0; passedMs < 3 * day; passedMs += day / 2) {
      line.beat(1);
      await jump(fleet, day / 2);
    }
    expect(await rows(fleet, [live.id, gone.id])).toBe(1);
    expect(await names(fleet)).toEqual(['live']);
  });
});
