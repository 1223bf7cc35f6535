import { expect, test } from '@jest/globals';
import { testContext } from '../../harness.js';
import { Fleet, type Line, only } from '../fleet.js';
import {
  afl,
  createCampaign,
  getCampaign,
  libfuzzer,
  named,
  resume,
  run,
  specOf,
  take,
} from './scene.js';

const runSeconds = 600;
const dying = { ms: 1000, elapsedMs: 1000 };
const healthy = { ms: 70_000, elapsedMs: 70_000 };

/** Runs that the bot's one slot is given, until none is offered. */
async function runAll(fleet: Fleet, bot: Line, most = 10): Promise<number> {
  for (let runs = 0; runs < most; runs++) {
    bot.beat(1);
    await fleet.settled();
    const [lease] = await take(fleet, bot);
    if (!lease) return runs;
    await run(fleet, bot, lease, dying);
  }
  return most;
}

async function idle(fleet: Fleet, bot: Line, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10_000) {
    bot.beat(1);
    await fleet.pass(Math.min(left, 10_000));
  }
}

const explain = (fleet: Fleet) => fleet.state.fuzzingCampaigns.explain(testContext(), named('png'));

test('a build whose runs die at once is held, tried once in a while, and freed by a healthy run', async () => {
  const fleet = await Fleet.open();
  await createCampaign(fleet, { runSeconds });
  const bot = await fleet.bot(1);
  expect(await runAll(fleet, bot)).toBe(3);
  const { reasons, arms } = await explain(fleet);
  expect(reasons[0]).toMatch(
    /^libfuzzer is held: 3 runs on end died early, the last after 1 s of fuzzing \(job \S+\); tried once in 10 min; UpdateCampaign/,
  );
  expect(arms).toMatchObject([{ share: 0, reason: expect.stringMatching(/^held: 3 runs on end/) }]);
  await idle(fleet, bot, 590_000);
  expect(bot.offers()).toEqual([]);
  await idle(fleet, bot, 15_000);
  await run(fleet, bot, only(await take(fleet, bot)), dying);
  expect((await explain(fleet)).reasons[0]).toMatch(/tried once in 20 min/);
  await idle(fleet, bot, 1_205_000);
  await run(fleet, bot, only(await take(fleet, bot)), healthy);
  expect((await explain(fleet)).reasons.join()).not.toContain('held');
  const { campaign, events } = await getCampaign(fleet);
  expect(campaign).toMatchObject({ runs: 5, arms: [{ share: 1 }] });
  expect(events.map(({ kind }) => kind)).toEqual(['recovered', 'stuck', 'held', 'created']);
});

test('the other builds have what a held one leaves, and an update or a resume tries it at once', async () => {
  const fleet = await Fleet.open();
  const builds = [libfuzzer, { ...afl, pinnedPercent: 20 }];
  await createCampaign(fleet, { runSeconds, builds });
  const bot = await fleet.bot(1, { engines: ['libfuzzer'] });
  expect(await runAll(fleet, bot)).toBe(3);
  const shares = async () => (await getCampaign(fleet)).campaign.arms.map(({ share }) => share);
  expect(await shares()).toEqual([0, 1]);
  const spec = specOf({ runSeconds, builds, project: 'default', targetName: 'png', weight: 2 });
  const request = { ...named('png'), spec, revision: 0 };
  await fleet.state.fuzzingCampaigns.update(testContext(), request);
  expect(await shares()).toEqual([0.8, 0.2]);
  expect(await runAll(fleet, bot)).toBe(3);
  await resume(fleet);
  expect(await runAll(fleet, bot)).toBe(3);
});
