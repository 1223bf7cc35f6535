import { expect, test } from '@jest/globals';
import { nextNotice } from '../../../src/store/ops/notifications/next-notice.js';
import { testContext } from '../../harness.js';
import { Fleet, type Line } from '../fleet.js';

const lostAfter = { PANDAFUZZ_NOTIFICATIONS_BOT_LOST_AFTER: '20s' };

/** Kinds of the notices of bots, and how many bots each is about. */
async function noticesOf({ store }: Fleet): Promise<string[]> {
  const kinds = ['bot.lost', 'bot.back'] as const;
  const notices: string[] = [];
  for (let cursor = 0; ; ) {
    const page = { cursor, kinds, projects: [], limit: 1000 };
    const { notice } = await store.run(testContext(), nextNotice, page);
    if (notice?.about !== 'bots') return notices;
    notices.push(`${notice.kind} ${notice.count}`);
    cursor = notice.sequence;
  }
}

async function problemsOf({ state }: Fleet): Promise<string[]> {
  const { problems } = await state.problems.list(testContext());
  return problems.map(({ object, sentence }) => `${object} ${sentence}`);
}

/** Time passes; these bots are heard meanwhile. */
async function pass(fleet: Fleet, seconds: number, ...heard: Line[]): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 5) {
    for (const bot of heard) bot.beat(1);
    await fleet.pass(5000);
  }
}

test('bots whose streams end are lost after a while, together, and back with the next', async () => {
  const fleet = await Fleet.open(lostAfter);
  const [one, two, here] = [await fleet.bot(1), await fleet.bot(1), await fleet.bot(1)];
  one.leave();
  two.leave();
  await pass(fleet, 15, here);
  expect(await noticesOf(fleet)).toEqual([]);
  await pass(fleet, 60, here);
  expect(await noticesOf(fleet)).toEqual(['bot.lost 2']);
  expect(await problemsOf(fleet)).toContain('2 bots lost: no heartbeat stream');
  const again = fleet.hello(one.botId, 1);
  await fleet.settled();
  await pass(fleet, 60, here, again);
  expect(await noticesOf(fleet)).toEqual(['bot.lost 2', 'bot.back 1']);
  expect(await problemsOf(fleet)).toContain('1 bot lost: no heartbeat stream');
});

test('one that comes back in time, or is drained, is not missed', async () => {
  const fleet = await Fleet.open(lostAfter);
  const [brief, drained] = [await fleet.bot(1), await fleet.bot(1)];
  await fleet.state.bots.drain(testContext(), drained.botId, true);
  brief.leave();
  drained.leave();
  await pass(fleet, 10);
  const again = fleet.hello(brief.botId, 1);
  await fleet.settled();
  await pass(fleet, 60, again);
  expect(await noticesOf(fleet)).toEqual([]);
});

test('after a restart every bot has its time, and one that was lost comes back once', async () => {
  const fleet = await Fleet.open(lostAfter);
  const [here, gone] = [await fleet.bot(1), await fleet.bot(1)];
  gone.leave();
  await pass(fleet, 40, here);
  await fleet.state.stop();
  await fleet.start(lostAfter);
  const back = fleet.hello(gone.botId, 1);
  await fleet.settled();
  await pass(fleet, 15, back);
  expect(await noticesOf(fleet)).toEqual(['bot.lost 1', 'bot.back 1']);
  // The other one does not return to the new master.
  await pass(fleet, 20, back);
  expect(await noticesOf(fleet)).toEqual(['bot.lost 1', 'bot.back 1', 'bot.lost 1']);
});
