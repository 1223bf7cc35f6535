import { describe, expect, test } from '@jest/globals';
import {
  CampaignBuild,
  CampaignPolicies,
  CampaignPolicy,
  CampaignSpec,
} from '../../../src/gen/pandafuzz/v1/campaign_service.js';
import { CrashGroupStatus } from '../../../src/gen/pandafuzz/v1/crash.js';
import { SetCrashGroupStatusRequest } from '../../../src/gen/pandafuzz/v1/crash_service.js';
import { JobKind, JobState } from '../../../src/gen/pandafuzz/v1/job.js';
import { pruneJobs } from '../../../src/store/ops/jobs/prune-jobs.js';
import { testContext } from '../../harness.js';
import { Fleet, only } from '../fleet.js';
import { type Scene, scripted, sha256 } from './scene.js';
import { crashed, nextWork, report, takeWork, workScene, works } from './work-scene.js';

const pendingOf = async (scene: Scene, targetName: string) =>
  (await works(scene)).filter(
    ({ spec, state }) => spec?.targetName === targetName && state === JobState.PENDING,
  );

async function crashes(scene: Scene, build: string, count: number, spec = {}) {
  const lease = await scene.lease(build, spec);
  for (let i = 0; i < count; i++) await scene.crash(lease, `v2=bug${i}/${i}`);
  return lease;
}

const setStatus = (scene: Scene, groupId: string, status: CrashGroupStatus) =>
  scene.state.crashGroups.setStatus(
    testContext(),
    SetCrashGroupStatusRequest.create({ groupId, status, by: 'ada' }),
  );

describe('the policy', () => {
  test('has no more jobs of a target at once than it may, and the rest when those end', async () => {
    const scene = await workScene({ PANDAFUZZ_CRASHES_MAX_JOBS: '4' });
    await crashes(scene, await scene.build('old'), 9);
    await crashes(scene, await scene.build('other', 'other'), 2);
    for (let look = 0; look < 3; look++) await scene.state.crashPolicy.look();
    expect(await pendingOf(scene, 'demo')).toHaveLength(4);
    expect(await pendingOf(scene, 'other')).toHaveLength(2);

    let done = 0;
    for (let work = await takeWork(scene); work; work = await takeWork(scene)) {
      expect(
        (await works(scene)).filter((job) => job.finishedAt === undefined).length,
      ).toBeLessThan(7);
      await report(scene, work, {});
      await scene.complete(work.lease);
      done++;
    }
    expect(done).toBe(11);
  });

  test('goes on after a restart where it was, and makes nothing twice', async () => {
    const scene = await workScene({ PANDAFUZZ_CRASHES_MAX_JOBS: '2' });
    await crashes(scene, await scene.build('old'), 5);
    const under = await nextWork(scene);
    await scene.restart(scripted(2));
    const seen = [under];
    await scene.complete(under.lease);
    for (let work = await takeWork(scene); work; work = await takeWork(scene)) {
      seen.push(work);
      await scene.complete(work.lease);
    }
    const ids = seen.map(({ spec }) => spec.crashWork?.inputs[0]?.crashId);
    expect(new Set(ids).size).toBe(5);
    expect(ids).toHaveLength(5);
    await scene.restart(scripted(2));
    expect(await takeWork(scene)).toBeUndefined();
  });

  test('makes nothing that is switched off, or of groups that nobody wants mended', async () => {
    const off = { PANDAFUZZ_CRASHES_REPRODUCE: 'off', PANDAFUZZ_CRASHES_VERIFY: 'off' };
    const quiet = await workScene(off);
    await crashes(quiet, await quiet.build('old'), 3);
    await quiet.lease(await quiet.build('new'));
    expect(await takeWork(quiet)).toBeUndefined();

    const scene = await workScene({ PANDAFUZZ_CRASHES_MAX_JOBS: '1' });
    const lease = await crashes(scene, await scene.build('old'), 1);
    const { groupId } = await scene.crash(lease, 'v2=second/1');
    await scene.state.crashPolicy.look();
    await setStatus(scene, groupId, CrashGroupStatus.IGNORED);
    await scene.complete((await nextWork(scene)).lease);
    expect(await takeWork(scene)).toBeUndefined();
  });

  test('is that of the campaign whose run met the crash, whatever the master has', async () => {
    const scene = await workScene();
    const build = await scene.build('old');
    const { fuzzingCampaigns } = scene.state;
    const policies = CampaignPolicies.create({ reproduce: CampaignPolicy.OFF });
    const builds = [CampaignBuild.create({ engine: 'libfuzzer', targetSha256: build })];
    const spec = CampaignSpec.create({ name: 'quiet', targetName: 'demo', builds, policies });
    await fuzzingCampaigns.create(testContext(), { spec, requestId: '' });
    const quiet = { project: '', campaign: 'quiet', stopRuns: false, reason: '' };
    await fuzzingCampaigns.pause(testContext(), quiet);
    const lease = await scene.lease(build, { campaign: 'default/quiet' });
    await scene.crash(lease, 'v2=of_the_campaign/1');
    expect(await takeWork(scene)).toBeUndefined();
    await scene.crash(await scene.lease(build), 'v2=of_another_job/1');
    expect((await nextWork(scene)).spec.kind).toBe(JobKind.REPRODUCE);
    expect(await takeWork(scene)).toBeUndefined();
  });

  test('has a crash run again when its group is open again', async () => {
    const scene = await workScene();
    const lease = await scene.lease(await scene.build('old'));
    const { groupId } = await scene.crash(lease, 'v2=parse/10');
    await scene.complete((await nextWork(scene)).lease);
    await setStatus(scene, groupId, CrashGroupStatus.FIXED);
    const newer = await scene.build('newer');
    const { crashId } = await scene.crash(await scene.lease(newer), 'v2=parse/10');
    const kinds = [await nextWork(scene), await nextWork(scene)].map(({ spec }) => spec);
    const again = kinds.find(({ kind }) => kind === JobKind.REPRODUCE);
    expect(again).toMatchObject({ targetSha256: newer, crashWork: { inputs: [{ crashId }] } });
    expect(kinds.map(({ kind }) => kind)).toContain(JobKind.VERIFY);
  });

  test('has a crash made smaller that reproduces each time, where that is wanted', async () => {
    const scene = await workScene({ PANDAFUZZ_CRASHES_MINIMISE: 'on' });
    const lease = await scene.lease(await scene.build('old'));
    await scene.crash(lease, 'v2=flaky/1');
    const { crashId } = await scene.crash(lease, 'v2=steady/1');
    const [flaky, steady] = [await nextWork(scene), await nextWork(scene)];
    await report(scene, flaky, crashed('v2=flaky/1', 4));
    await report(scene, steady, crashed('v2=steady/1', 5));
    const { spec } = await nextWork(scene);
    expect(spec).toMatchObject({
      kind: JobKind.MINIMISE,
      campaign: 'crashes',
      limits: { maxDurationSeconds: 60 },
      crashWork: { inputs: [{ crashId }], runs: 5 },
    });
    expect(await takeWork(scene)).toBeUndefined();
  });

  test.each([
    ['on', CampaignPolicy.ON, 'off'],
    ['off', CampaignPolicy.OFF, 'on'],
  ] as const)(
    'makes crashes of a campaign smaller that wants it %s, and of no other job by that',
    async (wish, minimise, master) => {
      const scene = await workScene({ PANDAFUZZ_CRASHES_MINIMISE: master });
      const build = await scene.build('old');
      const builds = [CampaignBuild.create({ engine: 'libfuzzer', targetSha256: build })];
      const policies = CampaignPolicies.create({ minimise });
      const spec = CampaignSpec.create({ name: 'small', targetName: 'demo', builds, policies });
      const { fuzzingCampaigns } = scene.state;
      await fuzzingCampaigns.create(testContext(), { spec, requestId: '' });
      const paused = { project: '', campaign: 'small', stopRuns: false, reason: '' };
      await fuzzingCampaigns.pause(testContext(), paused);
      const own = await scene.lease(build, { campaign: 'default/small' });
      const ofCampaign = await scene.crash(own, 'v2=of_the_campaign/1');
      const ofOther = await scene.crash(await scene.lease(build), 'v2=of_another/1');
      await report(scene, await nextWork(scene), crashed('v2=of_the_campaign/1', 5));
      await report(scene, await nextWork(scene), crashed('v2=of_another/1', 5));
      const { spec: work } = await nextWork(scene);
      expect(work.kind).toBe(JobKind.MINIMISE);
      const smaller = wish === 'on' ? ofCampaign : ofOther;
      expect(work.crashWork?.inputs.map(({ crashId }) => crashId)).toEqual([smaller.crashId]);
      expect(await takeWork(scene)).toBeUndefined();
    },
  );

  test('tries a new build once, with the inputs and the settings that its first job brings', async () => {
    const scene = await workScene();
    const first = await scene.lease(await scene.build('old'));
    const { crashId } = await scene.crash(first, 'v2=parse/10');
    await scene.complete((await nextWork(scene)).lease);
    const build = await scene.build('newer');
    const fuzzing = { arguments: ['-use_value_profile=1'], environment: { A: 'b' } };
    await scene.lease(build, { ...fuzzing, project: 'default' });
    await scene.lease(build);
    const { spec } = await nextWork(scene);
    expect(spec).toMatchObject({
      kind: JobKind.VERIFY,
      targetSha256: build,
      targetName: 'demo',
      ...fuzzing,
      crashWork: { inputs: [{ crashId, sha256: sha256('input 1'), sizeBytes: 7 }], runs: 5 },
    });
    await scene.lease(await scene.build('of another target', 'other'));
    await scene.lease(await scene.build('of another project'), { project: 'elsewhere' });
    expect(await takeWork(scene)).toBeUndefined();
  });

  test('tries the groups of a target by more than one job where they are many', async () => {
    const scene = await workScene({ PANDAFUZZ_CRASHES_REPRODUCE: 'off' });
    await crashes(scene, await scene.build('old'), 205);
    await scene.lease(await scene.build('newer'));
    const sizes: number[] = [];
    for (let work = await takeWork(scene); work; work = await takeWork(scene)) {
      sizes.push(work.spec.crashWork?.inputs.length ?? 0);
    }
    expect(sizes).toEqual([200, 5]);
  });

  test('keeps results after their jobs are forgotten', async () => {
    const scene = await workScene();
    const lease = await scene.lease(await scene.build('old'));
    const { crashId } = await scene.crash(lease, 'v2=parse/10');
    const work = await nextWork(scene);
    await report(scene, work, crashed('v2=parse/10', 5));
    await scene.complete(work.lease);
    const after = { finishedAt: 0, id: '' };
    const ages = { olderThan: scene.clock.now() + 1, limit: 10, now: scene.clock.now() };
    const { removed } = await scene.store.run(testContext(), pruneJobs, { after, ...ages });
    expect(removed).toBe(1);
    await scene.state.crashPolicy.look();
    const { reproductions } = await scene.state.crashes.get(testContext(), crashId);
    expect(reproductions).toMatchObject([{ runs: 5, crashes: 5, jobId: work.lease.jobId }]);
    expect(await takeWork(scene)).toBeUndefined();
  });
});

const both = { engines: ['libfuzzer', 'libfuzzer-crashes'] };

async function fleetWithCrash(others: Parameters<Fleet['register']>[0][]) {
  const fleet = await Fleet.open();
  await fleet.create();
  const finder = await fleet.bot(1, both);
  const lines = [];
  for (const offer of others) lines.push(await fleet.bot(1, offer));
  const lease = only(finder.offers());
  finder.accept(lease);
  const content = Buffer.from('input');
  const about = { inputSha256: sha256('input'), inputSizeBytes: content.length };
  const chunks = (async function* () {
    yield content;
  })();
  const crash = { lease, ...about, report: 'panic: x', context: undefined, hits: 0 };
  await fleet.state.crashes.report(testContext(), { ...crash, minimisedFrom: '' }, chunks);
  await fleet.pass(3000);
  return { fleet, finder, lease, lines };
}

describe('a reproduction', () => {
  test('goes to another bot, and never to one that does not know of such work', async () => {
    const { fleet, finder, lease, lines } = await fleetWithCrash([{}, both]);
    const [older, other] = lines;
    finder.done(lease);
    await fleet.settled();
    finder.beat(1);
    older?.beat(1);
    await fleet.settled();
    expect(finder.offers()).toEqual([]);
    expect(older?.offers()).toEqual([]);
    const [offer] = other?.take('assign') ?? [];
    expect(offer?.assignment?.spec).toMatchObject({
      kind: JobKind.REPRODUCE,
      engine: 'libfuzzer',
      requirements: { otherThanBotId: finder.botId },
    });
  });

  test('that no other bot takes in time is done by the finder itself', async () => {
    const { fleet, finder, lease, lines } = await fleetWithCrash([both]);
    const [other] = lines;
    other?.leave();
    const [offered] = other?.offers() ?? [];
    expect(offered?.jobId).toBeDefined();
    finder.done(lease);
    await fleet.settled();
    finder.beat(1);
    for (let seconds = 0; seconds < 640; seconds += 20) {
      await fleet.pass(20_000);
      finder.beat(1);
      await fleet.settled();
    }
    const [offer] = finder.take('assign');
    expect(offer?.assignment?.spec).toMatchObject({
      kind: JobKind.REPRODUCE,
      requirements: { otherThanBotId: '' },
      timeouts: undefined,
    });
    expect((await fleet.job(offered?.jobId ?? '')).state).toBe('DEAD');
  });

  test('is explained to the finder, who may not take it', async () => {
    const { fleet, finder, lease, lines } = await fleetWithCrash([both]);
    lines[0]?.leave();
    finder.done(lease);
    await fleet.pass(11_000);
    finder.beat(1);
    await fleet.settled();
    const { reasons } = await fleet.state.explain.bot(testContext(), finder.botId);
    expect(reasons).toEqual(['1 job waits, but this bot is the one not to run it']);
  });
});
