import { describe, expect, test } from '@jest/globals';
import { CampaignState } from '../../../src/gen/pandafuzz/v1/campaign_service.js';
import { JobOutcome, JobState } from '../../../src/gen/pandafuzz/v1/job.js';
import { testContext } from '../../harness.js';
import { given } from '../../steps.js';
import { Fleet, only, runFor } from '../fleet.js';
import {
  afl,
  archive,
  createCampaign,
  finding,
  getCampaign,
  jobsOf,
  libfuzzer,
  named,
  pause,
  resume,
  run,
  specOf,
  take,
  withArtifact,
} from './scene.js';

describe('a campaign', () => {
  test('makes a run for each slot that is free, and another when one ends', async () => {
    const fleet = await Fleet.open();
    const bot = await fleet.bot(2);
    const { key } = await createCampaign(fleet);
    await fleet.settled();
    const [first, second] = await take(fleet, bot);
    expect(await jobsOf(fleet)).toHaveLength(2);
    const job = await fleet.job(given(first).jobId);
    expect(job.spec).toMatchObject({
      campaign: key,
      targetName: 'png',
      project: 'default',
      limits: { maxDurationSeconds: 60 },
    });
    await run(fleet, bot, given(first), { others: [given(second)] });
    // Nothing waits while no slot is free.
    expect(await jobsOf(fleet, JobState.PENDING)).toEqual([]);
    bot.beat(1, [given(second)]);
    await fleet.settled();
    expect(bot.offers()).toHaveLength(1);
  });

  test('counts what its runs did, and what they found', async () => {
    const fleet = await Fleet.open();
    await createCampaign(fleet, { builds: [{ ...libfuzzer, sanitizer: 'address' }] });
    const bot = await fleet.bot(1);
    await run(fleet, bot, only(await take(fleet, bot)), { ms: 120_000, ...finding });
    bot.beat(1);
    await fleet.settled();
    await run(fleet, bot, only(await take(fleet, bot)), { ms: 90_000 });
    const { campaign, runIds } = await getCampaign(fleet);
    expect(campaign).toMatchObject({ runs: 2, findingRuns: 1, cpuSeconds: 210 });
    expect(campaign.quietCpuSeconds).toBe(90);
    expect(campaign.arms).toMatchObject([
      { build: 'libfuzzer-address', runs: 2, findingRuns: 1, cpuSeconds: 210, share: 1 },
    ]);
    expect(runIds).toHaveLength(2);
  });

  test('goes on where it was after a restart, and counts runs that ended meanwhile once', async () => {
    const fleet = await Fleet.open();
    await createCampaign(fleet);
    const bot = await fleet.bot(1);
    const lease = only(await take(fleet, bot));
    await fleet.state.stop();
    await fleet.start();
    const again = fleet.hello(bot.botId, 0, [lease]);
    await fleet.settled();
    await run(fleet, again, lease);
    again.beat(1);
    await fleet.settled();
    expect(again.offers()).toHaveLength(1);
    await fleet.pass(5000);
    expect((await getCampaign(fleet)).campaign).toMatchObject({ runs: 1 });
  });

  test('deals the same shares for the same reasons after a restart', async () => {
    const fleet = await Fleet.open();
    await createCampaign(fleet, { builds: [libfuzzer, afl] });
    const bot = await fleet.bot(1, { engines: ['libfuzzer', 'aflplusplus'] });
    for (let i = 0; i < 10; i++) {
      const lease = only(await take(fleet, bot));
      const isLucky = (await fleet.job(lease.jobId)).spec?.engine === 'libfuzzer';
      await run(fleet, bot, lease, isLucky ? finding : {});
      bot.beat(1);
      await fleet.settled();
    }
    const sharesNow = async () =>
      (await getCampaign(fleet)).campaign.arms.map(({ build, share, reason }) => {
        return { build, share, reason };
      });
    const before = await sharesNow();
    expect(given(before[0]).share).toBeGreaterThan(given(before[1]).share);
    await fleet.state.stop();
    await fleet.start();
    await fleet.settled();
    expect(await sharesNow()).toEqual(before);
  });

  test('takes turns with jobs submitted by hand by its weight, and has no more runs at once than its limit', async () => {
    const fleet = await Fleet.open();
    for (let i = 0; i < 8; i++) await fleet.create();
    await createCampaign(fleet, { weight: 3, maxParallel: 5 });
    const bot = await fleet.bot(8);
    const leases = await take(fleet, bot);
    const jobs = await Promise.all(leases.map(({ jobId }) => fleet.job(jobId)));
    const own = jobs.filter(({ spec }) => spec?.campaign === 'default/png');
    expect({ all: leases.length, own: own.length }).toEqual({ all: 8, own: 5 });
  });

  test('gives each bot a build that it fits', async () => {
    const fleet = await Fleet.open();
    await createCampaign(fleet, { builds: [libfuzzer, afl] });
    const only_ = await fleet.bot(3, { engines: ['aflplusplus'] });
    const leases = await take(fleet, only_);
    const jobs = await Promise.all(leases.map(({ jobId }) => fleet.job(jobId)));
    expect(jobs.map(({ spec }) => spec?.engine)).toEqual(Array(3).fill('aflplusplus'));
    const both = await fleet.bot(4, { engines: ['libfuzzer', 'aflplusplus'] });
    const more = await Promise.all((await take(fleet, both)).map(({ jobId }) => fleet.job(jobId)));
    const count = (engine: string) => more.filter(({ spec }) => spec?.engine === engine).length;
    expect([count('libfuzzer'), count('aflplusplus')]).toEqual([2, 2]);
  });
});

describe('a paused campaign', () => {
  test('makes no run until it is resumed; those under way end by themselves, or at once on request', async () => {
    const fleet = await Fleet.open();
    await createCampaign(fleet);
    const bot = await fleet.bot(2);
    const [first, second] = await take(fleet, bot);
    expect(await pause(fleet)).toMatchObject({ state: CampaignState.PAUSED, running: 2 });
    await run(fleet, bot, given(first), { others: [given(second)] });
    bot.beat(1, [given(second)]);
    await fleet.pass(2000);
    expect(bot.offers()).toEqual([]);
    expect(bot.take('cancel')).toEqual([]);
    await pause(fleet, 'png', true);
    await fleet.pass(2000);
    expect(bot.take('cancel')).toMatchObject([{ lease: { jobId: given(second).jobId } }]);
    expect(await resume(fleet)).toMatchObject({ state: CampaignState.ACTIVE });
    await fleet.settled();
    expect(bot.offers()).toHaveLength(1);
    const { events } = await getCampaign(fleet);
    expect(events.map(({ kind }) => kind)).toEqual(['resumed', 'paused', 'created']);
  });

  test('has its waiting runs cancelled', async () => {
    const fleet = await Fleet.open();
    await createCampaign(fleet);
    const bot = await fleet.bot(1);
    const { jobId } = only(await take(fleet, bot));
    await pause(fleet);
    await fleet.pass(2000);
    // Its bot is lost: the run would go to another.
    bot.leave();
    await fleet.pass(60_000);
    expect((await fleet.job(jobId)).state).toBe('CANCELLED');
    const other = await fleet.bot(1);
    expect(other.offers()).toEqual([]);
  });
});

describe('the end of a campaign', () => {
  test('comes when its CPU hours are used, and an update lets it go on', async () => {
    const fleet = await Fleet.open();
    await createCampaign(fleet, {
      until: { cpuHours: 0.05, quietCpuHours: 0, at: undefined, firstCrash: false },
    });
    const bot = await fleet.bot(1);
    for (let i = 0; i < 3; i++) {
      await run(fleet, bot, only(await take(fleet, bot)));
      bot.beat(1);
      await fleet.settled();
    }
    expect(bot.offers()).toEqual([]);
    const { campaign } = await getCampaign(fleet);
    expect(campaign).toMatchObject({
      state: CampaignState.ENDED,
      stateReason: 'its 0.05 CPU hours are used',
    });
    await expect(resume(fleet)).rejects.toThrow(/is over: its 0.05 CPU hours are used/);
    const spec = { ...given(campaign.spec), until: undefined };
    const request = { ...named('png'), spec, revision: campaign.revision };
    const after = await fleet.state.fuzzingCampaigns.update(testContext(), request);
    expect(after).toMatchObject({ state: CampaignState.ACTIVE, revision: 2 });
    await fleet.settled();
    expect(bot.offers()).toHaveLength(1);
  });

  test('comes when nothing new was found for long enough', async () => {
    const fleet = await Fleet.open();
    await createCampaign(fleet, {
      until: { cpuHours: 0, quietCpuHours: 0.05, at: undefined, firstCrash: false },
    });
    const bot = await fleet.bot(1);
    const states: CampaignState[] = [];
    for (const figures of [{}, finding, {}, {}]) {
      await run(fleet, bot, only(await take(fleet, bot)), { ms: 90_000, ...figures });
      bot.beat(1);
      await fleet.settled();
      states.push((await getCampaign(fleet)).campaign.state);
    }
    const { ACTIVE, ENDED } = CampaignState;
    expect(states).toEqual([ACTIVE, ACTIVE, ACTIVE, ENDED]);
  });

  test('comes at its time, and so does its beginning', async () => {
    const fleet = await Fleet.open();
    const now = fleet.clock.now();
    await createCampaign(fleet, {
      notBefore: new Date(now + 10_000),
      until: { cpuHours: 0, quietCpuHours: 0, at: new Date(now + 60_000), firstCrash: false },
    });
    const bot = await fleet.bot(1);
    expect(bot.offers()).toEqual([]);
    const explain = () => fleet.state.fuzzingCampaigns.explain(testContext(), named('png'));
    expect((await explain()).reasons).toEqual(['it begins in 10 s (its not_before)']);
    await fleet.pass(12_000);
    const lease = only(await take(fleet, bot));
    await runFor(fleet, bot, lease, 50_000);
    expect((await getCampaign(fleet)).campaign).toMatchObject({
      state: CampaignState.ENDED,
      stateReason: 'its time is over',
      running: 1,
    });
  });

  test('of a window of time asks its runs to end, and the next window makes more', async () => {
    const fleet = await Fleet.open();
    // The clock begins at midnight, UTC.
    const windows = [
      { weekdays: [], fromMinute: 0, toMinute: 1 },
      { weekdays: [], fromMinute: 3, toMinute: 4 },
    ];
    await createCampaign(fleet, { windows, runSeconds: 600 });
    const bot = await fleet.bot(1);
    const lease = only(await take(fleet, bot));
    await runFor(fleet, bot, lease, 62_000);
    expect(bot.take('cancel')).toMatchObject([{ lease: { jobId: lease.jobId } }]);
    bot.done(lease, JobOutcome.CANCELLED);
    await fleet.settled();
    bot.beat(1);
    await fleet.pass(2000);
    expect(bot.offers()).toEqual([]);
    const explain = () => fleet.state.fuzzingCampaigns.explain(testContext(), named('png'));
    expect((await explain()).reasons).toEqual([
      expect.stringContaining('outside of its windows of time until 2026-01-01T00:03:00.000Z'),
    ]);
    for (let passed = 0; passed < 120_000; passed += 5000) {
      bot.beat(1);
      await fleet.pass(5000);
    }
    expect(bot.offers()).toHaveLength(1);
    const { events } = await getCampaign(fleet);
    expect(events.map(({ kind }) => kind)).toEqual(['window_opened', 'window_closed', 'created']);
  });

  test('is for good once it is archived, and its name is free', async () => {
    const fleet = await Fleet.open();
    const { id } = await createCampaign(fleet);
    await expect(createCampaign(fleet)).rejects.toThrow(/has a campaign png/);
    expect(await archive(fleet)).toMatchObject({ state: CampaignState.ARCHIVED });
    await expect(pause(fleet)).rejects.toThrow(/is archived/);
    const next = await createCampaign(fleet);
    expect((await getCampaign(fleet)).campaign.id).toBe(next.id);
    expect((await getCampaign(fleet, id)).campaign.state).toBe(CampaignState.ARCHIVED);
    const page = { pageSize: 0, pageToken: '', project: '' };
    const list = async (archived: boolean) =>
      (await fleet.state.fuzzingCampaigns.list(testContext(), { ...page, archived })).campaigns;
    expect((await list(false)).map((one) => one.id)).toEqual([next.id]);
    expect((await list(true)).map((one) => one.id)).toEqual([next.id, id]);
  });
});

describe('a new build', () => {
  test('takes over at the next run, and the old one is kept by its name', async () => {
    const fleet = await Fleet.open();
    const { revision } = await createCampaign(fleet);
    const bot = await fleet.bot(2);
    const [first, second] = await take(fleet, bot);
    const targetSha256 = await withArtifact(fleet, 'b');
    const spec = specOf({
      project: 'default',
      targetName: 'png',
      weight: 2,
      builds: [{ ...libfuzzer, targetSha256 }],
    });
    const update = () =>
      fleet.state.fuzzingCampaigns.update(testContext(), { ...named('png'), spec, revision });
    await update();
    await expect(update()).rejects.toThrow(/at revision 2 by now/);
    await run(fleet, bot, given(first), { others: [given(second)] });
    bot.beat(1, [given(second)]);
    await fleet.settled();
    const { jobId } = only(await take(fleet, bot));
    expect((await fleet.job(jobId)).spec?.targetSha256).toBe(targetSha256);
    const { campaign, earlierBuilds, events } = await getCampaign(fleet);
    expect(campaign.arms).toMatchObject([{ build: 'libfuzzer', targetSha256, runs: 1 }]);
    expect(earlierBuilds).toMatchObject([
      { build: { name: 'libfuzzer', targetSha256: 'a'.repeat(64) } },
    ]);
    expect(events[0]?.text).toBe(
      `build libfuzzer: ${'b'.repeat(12)} takes over from ${'a'.repeat(12)}; weight 1 -> 2; run seconds 60 -> 60`.replace(
        '; run seconds 60 -> 60',
        '',
      ),
    );
  });

  test('that was never uploaded is refused, and the campaign goes on as it was', async () => {
    const fleet = await Fleet.open();
    await createCampaign(fleet);
    const builds = [{ ...libfuzzer, targetSha256: 'e'.repeat(64) }];
    const spec = specOf({ builds });
    const request = { ...named('png'), spec, revision: 0 };
    const updating = fleet.state.fuzzingCampaigns.update(testContext(), request);
    await expect(updating).rejects.toThrow(/there is no such target/);
    expect((await getCampaign(fleet)).campaign).toMatchObject({ revision: 1 });
    const bot = await fleet.bot(1);
    expect(bot.offers()).toHaveLength(1);
  });
});

describe('the name of a campaign', () => {
  test('may be its id or the beginning of it, and has to be clear', async () => {
    const fleet = await Fleet.open();
    const { id } = await createCampaign(fleet, { project: 'one' });
    await createCampaign(fleet, { project: 'two' });
    await expect(getCampaign(fleet, 'png')).rejects.toThrow(/png may mean one\/png .*, two\/png/);
    const inOne = await fleet.state.fuzzingCampaigns.get(testContext(), named('png', 'one'));
    expect(inOne.campaign?.id).toBe(id);
    expect((await getCampaign(fleet, id.slice(0, 35))).campaign.id).toBe(id);
    await expect(getCampaign(fleet, 'jpeg')).rejects.toThrow(/no such campaign/);
  });
});

test('a spec is told everything that is wrong with it at once', async () => {
  const fleet = await Fleet.open();
  const creating = createCampaign(fleet, {
    name: 'a b',
    builds: [
      { ...libfuzzer, engine: 'afll', pinnedPercent: 60 },
      { ...libfuzzer, name: 'x', pinnedPercent: 60, targetSha256: 'a' },
    ],
    weight: 5000,
    runSeconds: 1,
    environment: { 'a b': '' },
  });
  const error = await creating.then(
    () => '',
    (reason: Error) => reason.message,
  );
  for (const path of [
    'spec.name:',
    'spec.builds[0].engine:',
    'spec.builds[1].target_sha256:',
    'spec.builds: may pin 100 percent',
    'spec.weight:',
    'spec.run_seconds:',
    'spec.environment',
  ]) {
    expect(error).toContain(path);
  }
});
