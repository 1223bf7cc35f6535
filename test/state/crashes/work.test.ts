import { describe, expect, test } from '@jest/globals';
import {
  NotFoundError,
  type PreconditionError,
  StaleLeaseError,
  ValidationError,
} from '../../../src/core/errors.js';
import { newId } from '../../../src/core/ids.js';
import { CampaignBuild, CampaignSpec } from '../../../src/gen/pandafuzz/v1/campaign_service.js';
import { CrashGroupStatus } from '../../../src/gen/pandafuzz/v1/crash.js';
import {
  CrashReport,
  SetCrashGroupStatusRequest,
} from '../../../src/gen/pandafuzz/v1/crash_service.js';
import { JobKind } from '../../../src/gen/pandafuzz/v1/job.js';
import { testContext } from '../../harness.js';
import { type Scene, sha256 } from './scene.js';
import { crashed, nextWork, report, workScene } from './work-scene.js';

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: Error) => error,
  );

/** A group with one crash, and the reproduction of it under way. */
async function metCrash(runs = '5') {
  const scene = await workScene({ PANDAFUZZ_CRASHES_RUNS: runs });
  const old = await scene.build('old');
  const lease = await scene.lease(old);
  const { crashId, groupId } = await scene.crash(lease, 'v2=parse/10');
  return { scene, old, lease, crashId, groupId, work: await nextWork(scene) };
}

/** The verification of a build that a job was just made for. */
async function verification(scene: Scene, build: string, engine = 'libfuzzer') {
  await scene.lease(build, { engine });
  const work = await nextWork(scene);
  expect(work.spec.kind).toBe(JobKind.VERIFY);
  return work;
}

const status = async (scene: Scene, groupId: string) =>
  CrashGroupStatus[(await scene.group(groupId)).status];

describe('what came of running a crash again', () => {
  test('counts the runs that fall into its group, and once however often it is reported', async () => {
    const { scene, crashId, groupId, work, old } = await metCrash();
    const reports = [
      { report: 'v2=parse/10', count: 2 },
      { report: 'v2=parse/12', count: 1 },
      { report: 'v2=elsewhere/1', count: 1 },
    ];
    const told = { runs: 5, reports, log: 'the last run' };
    expect(await report(scene, work, told)).toEqual({ crashes: 3 });
    expect(await report(scene, work, { ...told, runs: 7 })).toEqual({ crashes: 3 });
    await scene.complete(work.lease);
    expect(await report(scene, work, told)).toEqual({ crashes: 3 });
    const { reproductions } = await scene.state.crashes.get(testContext(), crashId);
    expect(reproductions).toMatchObject([
      { runs: 5, crashes: 3, log: 'the last run', targetSha256: old, jobId: work.lease.jobId },
    ]);
    // To run an input again is no sighting.
    expect(await scene.group(groupId)).toMatchObject({ crashHits: 1, crashInputsKept: 1, bots: 1 });
  });

  test('is refused from an ended lease, another kind of job, and for a crash of others', async () => {
    const { scene, lease, work } = await metCrash();
    const other = await scene.crash(lease, 'v2=other/1');
    const wrongKind = await refusal(report(scene, { ...work, lease }, {}));
    expect((wrongKind as PreconditionError).fields).toMatchObject({ reason: 'WRONG_KIND' });
    expect(await refusal(report(scene, work, { crashId: other.crashId }))).toBeInstanceOf(
      NotFoundError,
    );
    expect(await refusal(report(scene, work, { crashId: newId() }))).toBeInstanceOf(NotFoundError);
    const neverWas = { ...work, lease: { ...work.lease, fence: 9 } };
    expect(await refusal(report(scene, neverWas, {}))).toBeInstanceOf(NotFoundError);
    await scene.complete(work.lease);
    expect(await refusal(report(scene, work, {}))).toBeInstanceOf(StaleLeaseError);
  });

  test.each([
    ['runs', { runs: 0 }],
    ['runs', { runs: 1001 }],
    ['crash_id', { crashId: 'x' }],
    [
      'reports',
      { reports: Array.from({ length: 17 }, () => ({ report: 'x', count: 1 })), runs: 99 },
    ],
    ['reports', crashed('x'.repeat(128 * 1024 + 1), 1)],
    ['reports', crashed('x', 6)],
    ['reports[0].count', crashed('x', 0)],
    ['log', { log: 'x'.repeat(64 * 1024 + 1) }],
  ])('with bad %s is refused by its path', async (path, more) => {
    const { scene, work } = await metCrash();
    const error = await refusal(report(scene, work, more));
    expect((error as ValidationError).fields.violations).toMatchObject([{ path }]);
  });

  test('decides which input stands for the group: the smallest that reproduces', async () => {
    const { scene, lease, crashId, groupId, work } = await metCrash();
    const { crashId: smaller } = await scene.crash(lease, 'v2=parse/10', { input: 'i' });
    expect((await scene.group(groupId)).reproducerCrashId).toBe(smaller);
    await report(scene, work, crashed('v2=parse/10', 5));
    expect((await scene.group(groupId)).reproducerCrashId).toBe(crashId);
    await scene.state.crashWork.reproduce(testContext(), { id: smaller, runs: 2 });
    await report(scene, await nextWork(scene), { runs: 2, ...crashed('v2=parse/10', 1) });
    expect((await scene.group(groupId)).reproducerCrashId).toBe(smaller);
    const again = await scene.state.crashWork.reproduce(testContext(), { id: groupId, runs: 0 });
    expect(again.crashId).toBe(smaller);
    await report(scene, await nextWork(scene), {});
    expect((await scene.group(groupId)).reproducerCrashId).toBe(crashId);
  });
});

describe('a newer build that no longer crashes', () => {
  test('has mended the group, and a later one that crashes brings it back', async () => {
    const { scene, groupId, work } = await metCrash();
    await report(scene, work, crashed('v2=parse/10', 5));
    const fixed = await scene.build('fixed');
    await report(scene, await verification(scene, fixed), {});
    expect(await scene.group(groupId)).toMatchObject({
      status: CrashGroupStatus.FIXED,
      fixedInSha256: fixed,
      statusSetBy: 'pandafuzz: verified',
    });
    const newest = await scene.build('newest');
    await report(scene, await verification(scene, newest), crashed('v2=parse/10', 1));
    expect(await scene.group(groupId)).toMatchObject({
      status: CrashGroupStatus.NEW,
      fixedInSha256: '',
      reopenedAt: expect.any(Date),
    });
    const { builds } = await scene.state.crashGroups.get(testContext(), groupId);
    expect(builds.map((build) => [build.targetSha256, build.crashes, build.hits])).toEqual([
      [newest, true, 0],
      [fixed, false, 0],
      [sha256('old'), true, 1],
    ]);
  });

  test('says nothing if it is for another engine, or what a campaign has beside the one that crashed', async () => {
    const { scene, groupId, work, old } = await metCrash();
    await report(scene, work, crashed('v2=parse/10', 5));
    const forAfl = await scene.build('for AFL++');
    await report(scene, await verification(scene, forAfl, 'aflplusplus'), {});
    expect(await status(scene, groupId)).toBe('NEW');
    const plain = await scene.build('plain');
    const builds = [old, plain].map((targetSha256, at) =>
      CampaignBuild.create({ engine: 'libfuzzer', name: `build-${at}`, targetSha256 }),
    );
    const spec = CampaignSpec.create({ name: 'png', builds });
    await scene.state.fuzzingCampaigns.create(testContext(), { spec, requestId: '' });
    const campaign = { project: '', campaign: 'png', stopRuns: false, reason: '' };
    await scene.state.fuzzingCampaigns.pause(testContext(), campaign);
    await report(scene, await verification(scene, plain), {});
    expect(await status(scene, groupId)).toBe('NEW');
  });

  test('says nothing where the crash comes now and then, unless it was tried often enough', async () => {
    const seldom = await metCrash();
    await report(seldom.scene, seldom.work, crashed('v2=parse/10', 2));
    await report(seldom.scene, await verification(seldom.scene, await seldom.scene.build('b')), {});
    expect(await status(seldom.scene, seldom.groupId)).toBe('NEW');

    const often = await metCrash('20');
    await report(often.scene, often.work, { runs: 20, ...crashed('v2=parse/10', 8) });
    const tried = await verification(often.scene, await often.scene.build('b'));
    await report(often.scene, tried, { runs: 20 });
    expect(await status(often.scene, often.groupId)).toBe('FIXED');
  });

  test('says nothing where the crash did not reproduce on its own build either', async () => {
    const { scene, groupId, work } = await metCrash();
    await report(scene, work, {});
    await report(scene, await verification(scene, await scene.build('b')), {});
    expect(await status(scene, groupId)).toBe('NEW');
  });

  test('says nothing where it crashes in another way, or has met the group itself', async () => {
    const { scene, groupId, work } = await metCrash();
    await report(scene, work, crashed('v2=parse/10', 5));
    const strange = await verification(scene, await scene.build('strange'));
    await report(scene, strange, crashed('v2=renamed/10', 1));
    expect(await status(scene, groupId)).toBe('NEW');
    const build = await scene.build('met');
    const lease = await scene.lease(build);
    await scene.crash(lease, 'v2=parse/10');
    await report(scene, await nextWork(scene), {});
    expect(await status(scene, groupId)).toBe('NEW');
  });

  test('says nothing when it is older than one that crashes', async () => {
    const scene = await workScene();
    const older = await scene.build('older');
    const { groupId } = await scene.crash(await scene.lease(await scene.build('b')), 'v2=parse/10');
    await report(scene, await nextWork(scene), crashed('v2=parse/10', 5));
    await report(scene, await verification(scene, older), {});
    expect(await status(scene, groupId)).toBe('NEW');
  });

  test.each([CrashGroupStatus.WONT_FIX])('leaves what people decided (%s)', async (decided) => {
    const { scene, groupId, work } = await metCrash();
    await report(scene, work, crashed('v2=parse/10', 5));
    const wish = SetCrashGroupStatusRequest.create({ groupId, status: decided, by: 'ada' });
    await scene.state.crashGroups.setStatus(testContext(), wish);
    await report(scene, await verification(scene, await scene.build('b')), {});
    expect((await scene.group(groupId)).status).toBe(decided);
  });
});

describe('a smaller input', () => {
  async function reportSmaller(fallsInto: string) {
    const { scene, crashId, groupId, work } = await metCrash();
    await report(scene, work, crashed('v2=parse/10', 5));
    const { jobId } = await scene.state.crashWork.minimise(testContext(), {
      id: crashId,
      seconds: 7,
    });
    const { lease, spec } = await nextWork(scene);
    expect([lease.jobId, spec.limits?.maxDurationSeconds]).toEqual([jobId, 7]);
    const about = { inputSha256: sha256('i'), inputSizeBytes: 1, minimisedFrom: crashId };
    const made = await scene.state.crashes.report(
      testContext(),
      CrashReport.create({ lease, report: fallsInto, ...about }),
      (async function* () {
        yield Buffer.from('i');
      })(),
    );
    const crash = await scene.state.crashes.get(testContext(), made.crashId);
    return { scene, crashId, groupId, crash };
  }

  test('of the same group stands for it', async () => {
    const { scene, crashId, groupId, crash } = await reportSmaller('v2=parse/11');
    expect(crash).toMatchObject({ groupId, minimisedFrom: crashId });
    expect((await scene.group(groupId)).reproducerCrashId).toBe(crash.id);
  });

  test('that falls into another group is a crash of its own', async () => {
    const { scene, crashId, groupId, crash } = await reportSmaller('v2=elsewhere/1');
    expect(crash.minimisedFrom).toBe('');
    expect(crash.groupId).not.toBe(groupId);
    expect((await scene.group(groupId)).reproducerCrashId).toBe(crashId);
  });
});

describe('work by command', () => {
  test('is refused for what is not there, and out of bounds', async () => {
    const { scene, old } = await metCrash();
    const { crashWork } = scene.state;
    const ctx = testContext();
    const nowhere = {
      targetSha256: 'f'.repeat(64),
      project: '',
      targetName: '',
      executable: '',
    };
    for (const call of [
      crashWork.reproduce(ctx, { id: newId(), runs: 1 }),
      crashWork.minimise(ctx, { id: newId(), seconds: 1 }),
      crashWork.verify(ctx, nowhere),
    ]) {
      expect(await refusal(call)).toBeInstanceOf(NotFoundError);
    }
    for (const call of [
      crashWork.reproduce(ctx, { id: newId(), runs: 1001 }),
      crashWork.minimise(ctx, { id: 'x', seconds: 86_401 }),
      crashWork.verify(ctx, { ...nowhere, targetSha256: 'x' }),
      crashWork.verify(ctx, { ...nowhere, executable: '../x' }),
    ]) {
      expect(await refusal(call)).toBeInstanceOf(ValidationError);
    }
    const nothing = await refusal(
      crashWork.verify(ctx, { ...nowhere, targetSha256: old, project: 'p' }),
    );
    expect((nothing as PreconditionError).fields).toMatchObject({ reason: 'NOTHING_TO_VERIFY' });
  });

  test('on a merged group means the group that it is in now', async () => {
    const { scene, lease, groupId } = await metCrash();
    const into = await scene.crash(lease, 'v2=into/1', { input: 'i' });
    await scene.merge([groupId], into.groupId);
    const { crashId } = await scene.state.crashWork.reproduce(testContext(), {
      id: groupId,
      runs: 1,
    });
    expect(crashId).toBe(into.crashId);
  });
});
