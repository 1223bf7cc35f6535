import { expect, test } from '@jest/globals';
import { createCampaign, getCampaign, take } from '../campaigns/scene.js';
import { Fleet, runFor } from '../fleet.js';

const stuckAfter = { PANDAFUZZ_NOTIFICATIONS_STUCK_AFTER: '10s' };

const told = async (fleet: Fleet) => {
  const { campaign, events } = await getCampaign(fleet);
  return [campaign.stuckBy, ...events.map(({ kind }) => kind)];
};

test('a campaign is stuck once its word holds for long enough, and goes on when it does, once each', async () => {
  const fleet = await Fleet.open(stuckAfter);
  await createCampaign(fleet, { runSeconds: 600 });
  await fleet.pass(8000);
  expect(await told(fleet)).toEqual(['', 'created']);
  await fleet.pass(40_000);
  expect(await told(fleet)).toEqual(['no bots', 'stuck', 'created']);
  await fleet.state.stop();
  await fleet.start(stuckAfter);
  await fleet.pass(40_000);
  expect(await told(fleet)).toEqual(['no bots', 'stuck', 'created']);
  const bot = await fleet.bot(1);
  const [lease] = await take(fleet, bot);
  if (!lease) throw new Error('no run was offered');
  await runFor(fleet, bot, lease, 40_000);
  expect(await told(fleet)).toEqual(['', 'unstuck', 'stuck', 'created']);
});

test('a campaign that is paused, or outside of its windows, is not stuck', async () => {
  const fleet = await Fleet.open(stuckAfter);
  const windows = [{ weekdays: [], fromMinute: 600, toMinute: 601 }];
  await createCampaign(fleet, { windows });
  await fleet.pass(40_000);
  expect(await told(fleet)).toEqual(['', 'created']);
});
