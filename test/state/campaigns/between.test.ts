import { expect, test } from '@jest/globals';
import { given } from '../../steps.js';
import { Fleet, only } from '../fleet.js';
import { createCampaign, finish, getCampaign, jobsOf, take } from './scene.js';

test('campaigns of equal weight have equal CPU time, however long their runs are', async () => {
  const fleet = await Fleet.open();
  await createCampaign(fleet, { name: 'short', runSeconds: 10 });
  await createCampaign(fleet, { name: 'long', runSeconds: 100 });
  const bot = await fleet.bot(1);
  const campaignOf = async (jobId: string) => (await fleet.job(jobId)).spec?.campaign;
  for (let passedMs = 0; passedMs < 900_000; ) {
    const lease = only(await take(fleet, bot));
    const ms = (await campaignOf(lease.jobId)) === 'default/long' ? 100_000 : 10_000;
    for (let left = ms; left > 0; left -= 5000) {
      bot.beat(0, [lease]);
      await fleet.pass(5000);
    }
    passedMs += ms;
    finish(bot, lease, { elapsedMs: ms });
    await fleet.settled();
    bot.beat(1);
    await fleet.settled();
  }
  const cpuOf = async (name: string) => (await getCampaign(fleet, name)).campaign.cpuSeconds;
  const [short, long] = [await cpuOf('short'), await cpuOf('long')];
  expect(Math.abs(short - long)).toBeLessThanOrEqual(110);
  expect(short + long).toBeGreaterThanOrEqual(800);
  expect((await jobsOf(fleet)).length).toBeGreaterThan(40);
  expect(given((await getCampaign(fleet, 'short')).campaign.spec).weight).toBe(1);
});
