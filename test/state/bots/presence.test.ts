import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { backgroundRunner } from '../../../src/core/context.js';
import { Presence } from '../../../src/state/bots/presence.js';
import { type SessionHandle, Sessions } from '../../../src/state/bots/sessions.js';
import { drainBot } from '../../../src/store/ops/bots/drain-bot.js';
import { registerBot } from '../../../src/store/ops/bots/register-bot.js';
import { nextNotice } from '../../../src/store/ops/notifications/next-notice.js';
import type { Store } from '../../../src/store/store.js';
import { openStore, testContext } from '../../harness.js';
import { inProcess } from '../../in-process.js';
import { botInput } from '../../store/inputs.js';
import { VirtualClock } from '../../virtual-clock.js';

const log = pino({ level: 'silent' });
const minute = 60_000;

/** Bots with and without streams, over a real store. */
async function scene() {
  const clock = new VirtualClock();
  const store = await openStore({ connect: inProcess });
  const make = () => {
    const sessions = new Sessions();
    const inBackground = backgroundRunner({ timeoutMs: 10_000, log });
    const parts = { store, clock, log, inBackground, sessions, lostAfterMs: 5 * minute };
    return { sessions, presence: new Presence(parts) };
  };
  const bot = async (name: string) => {
    const input = { ...botInput(name), now: clock.now() };
    return (await store.run(testContext(), registerBot, input)).id;
  };
  return { clock, store, make, bot, ...make() };
}

const streamOf = (botId: string) => ({ botId, replace: () => {} }) as unknown as SessionHandle;

async function eventsOf(store: Store) {
  const all = { cursor: 0, kinds: ['bot.lost', 'bot.back'] as const, projects: [], limit: 1000 };
  const kinds: string[] = [];
  for (let { cursor } = all; ; ) {
    const { notice } = await store.run(testContext(), nextNotice, { ...all, cursor });
    if (!notice) return kinds;
    kinds.push(notice.kind);
    cursor = notice.sequence;
  }
}

test('a bot whose stream ends is lost after a while, and back with its next stream, once each', async () => {
  const { clock, store, sessions, presence, bot } = await scene();
  const stream = streamOf(await bot('north'));
  sessions.enter(stream);
  sessions.leave(stream);
  clock.freeze(5 * minute - 1);
  await presence.look();
  expect(await eventsOf(store)).toEqual([]);
  clock.freeze(1);
  await presence.look();
  await presence.look();
  expect(await eventsOf(store)).toEqual(['bot.lost']);
  sessions.enter(stream);
  await presence.look();
  await presence.look();
  expect(await eventsOf(store)).toEqual(['bot.lost', 'bot.back']);
});

test('one that comes back in time, or is drained, is not missed', async () => {
  const { clock, store, sessions, presence, bot } = await scene();
  const [brief, drained] = [streamOf(await bot('a')), streamOf(await bot('b'))];
  for (const stream of [brief, drained]) sessions.enter(stream);
  for (const stream of [brief, drained]) sessions.leave(stream);
  await store.run(testContext(), drainBot, { botId: drained.botId, wanted: true, now: clock.now() });
  clock.freeze(4 * minute);
  sessions.enter(brief);
  clock.freeze(4 * minute);
  await presence.look();
  expect(await eventsOf(store)).toEqual([]);
});

test('after a restart every bot has its time, and one that was lost comes back once', async () => {
  const { clock, store, make, sessions, presence, bot } = await scene();
  const [here, gone] = [streamOf(await bot('a')), streamOf(await bot('b'))];
  for (const stream of [here, gone]) sessions.enter(stream);
  sessions.leave(gone);
  clock.freeze(5 * minute);
  await presence.look();
  const next = make();
  await next.presence.restore();
  next.sessions.enter(gone);
  await next.presence.look();
  expect(await eventsOf(store)).toEqual(['bot.lost', 'bot.back']);
  // The other one did not return to the new master.
  clock.freeze(5 * minute);
  await next.presence.look();
  expect(await eventsOf(store)).toEqual(['bot.lost', 'bot.back', 'bot.lost']);
});
