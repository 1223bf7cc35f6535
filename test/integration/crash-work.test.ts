import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Agent } from '../../src/bot/agent.js';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { uploadArtifact } from '../../src/client/transfer.js';
import { silentLog } from '../../src/core/log.js';
import { ArtifactKind } from '../../src/gen/pandafuzz/v1/artifact.js';
import { type Crash, type CrashGroup, CrashGroupStatus } from '../../src/gen/pandafuzz/v1/crash.js';
import { type Job, JobKind, JobLimits, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { verify } from '../../src/operator/crashes/work.js';
import { listCrashGroups, listJobs } from '../../src/operator/lists.js';
import { submitJobs } from '../../src/operator/submit.js';
import { buildProgram, withAddressSanitizer } from '../bot/programs/build.js';
import { atEnd, runMasterFor, type TestMaster, temporaryFolder } from '../harness.js';
import { eventually, given, jobIn } from '../steps.js';

/*
 * A real master with real bots: a program of this project's, built in several ways by a real
 * clang, is fuzzed with one seed that crashes it, and its crash is worked on.
 */

async function startBot({ address }: TestMaster, name: string): Promise<Agent> {
  const agent = await Agent.start({
    master: address,
    name,
    workDir: temporaryFolder(),
    slots: 1,
    labels: {},
    exchangeIntervalMs: 0,
    log: silentLog,
  });
  atEnd(() => agent.stop());
  return agent;
}

/** 1 KiB of which three bytes matter. */
function seeds(): string {
  const folder = join(temporaryFolder(), 'seeds');
  mkdirSync(folder);
  writeFileSync(join(folder, 'seed'), `BUG${'.'.repeat(1021)}`);
  return folder;
}

const build = (...flags: string[]) =>
  buildProgram('fragile.c', [
    ...withAddressSanitizer,
    `-DBUILD="${flags.join(' ') || 'first'}"`,
    ...flags,
  ]);

/** A job that fuzzes a build with the seed; a build without the bug is fuzzed for a second. */
async function fuzz({ connection }: TestMaster, targetPath: string): Promise<Job> {
  const limits = JobLimits.fromPartial({ maxDurationSeconds: 1, maxCrashes: 1 });
  const spec = { engine: 'libfuzzer', limits };
  const [job] = await submitJobs(connection, { targetPath, seedsPath: seeds(), spec, count: 1 });
  return jobIn(connection, given(job).id, JobState.COMPLETED);
}

const everyJob = { state: JobState.UNSPECIFIED, limit: 100 };
const jobsOf = async ({ connection }: TestMaster, kind: JobKind) =>
  (await listJobs(connection, everyJob)).filter(({ spec }) => spec?.kind === kind);

/** The only group, once it is as it is wanted. */
const groupWhen = ({ connection }: TestMaster, is: (group: CrashGroup) => boolean) =>
  eventually(async () => (await listCrashGroups(connection, { limit: 10 })).find(is));

async function crashOf({ crashes }: Connection, crashId: string): Promise<Crash> {
  return given((await unary(crashes, crashes.getCrash, { crashId })).crash);
}

/** A crash, once it was run again. */
const reproducedCrash = ({ connection }: TestMaster, crashId: string) =>
  eventually(async () => {
    const crash = await crashOf(connection, crashId);
    return crash.reproductions.length > 0 ? crash : undefined;
  });

/** The finished job of a reproduction, and what people are told by it. */
async function messageOf({ connection }: TestMaster, jobId: string): Promise<string | undefined> {
  return (await jobIn(connection, jobId, JobState.COMPLETED)).result?.message;
}

describe('a new crash', () => {
  test('is run again on another bot, each time with the same crash', async () => {
    const master = await runMasterFor();
    const bots = [await startBot(master, 'one'), await startBot(master, 'two')];
    expect(bots).toHaveLength(2);
    await fuzz(master, await build());
    const { firstCrashId } = await groupWhen(master, () => true);
    const crash = await reproducedCrash(master, firstCrashId);
    const [reproduction] = crash.reproductions;
    expect(reproduction).toMatchObject({ runs: 5, crashes: 5, targetSha256: expect.any(String) });
    expect(reproduction?.botId).not.toBe(crash.botId);
    expect(reproduction?.log).toMatch(/Running: [\s\S]* in overflow /);
    const [job] = await jobsOf(master, JobKind.REPRODUCE);
    expect(job).toMatchObject({
      id: reproduction?.jobId,
      spec: {
        campaign: 'crashes',
        name: 'reproduce heap-buffer-overflow in overflow',
        requirements: { otherThanBotId: crash.botId },
      },
    });
    expect(await messageOf(master, given(job).id)).toBe('crashed 5 of 5');
    expect(await jobsOf(master, JobKind.MINIMISE)).toEqual([]);
  });

  test('that comes now and then is said to be flaky, by the only bot there is', async () => {
    const master = await runMasterFor({ PANDAFUZZ_CRASHES_RUNS: '24' });
    await startBot(master, 'only');
    await fuzz(master, await build('-DMOODY'));
    const { firstCrashId } = await groupWhen(master, () => true);
    const { reproductions, botId } = await reproducedCrash(master, firstCrashId);
    const [reproduction] = reproductions;
    const { crashes = 0, jobId = '' } = reproduction ?? {};
    expect(reproduction).toMatchObject({ runs: 24, botId });
    expect(crashes).toBeGreaterThan(0);
    expect(crashes).toBeLessThan(24);
    expect(await messageOf(master, jobId)).toBe(`crashed ${crashes} of 24: flaky`);
  });

  test('is made smaller where that is wanted, and the smaller input stands for its group', async () => {
    const settings = { PANDAFUZZ_CRASHES_MINIMISE: 'on', PANDAFUZZ_CRASHES_MINIMISE_TIME: '20s' };
    const master = await runMasterFor(settings);
    await startBot(master, 'only');
    await fuzz(master, await build());
    // The engine may have found a smaller one by itself before.
    const smaller = await eventually(async () => {
      const { reproducerCrashId } = await groupWhen(master, () => true);
      const crash = await crashOf(master.connection, reproducerCrashId);
      return crash.minimisedFrom === '' ? undefined : crash;
    });
    const larger = await crashOf(master.connection, smaller.minimisedFrom);
    expect(smaller).toMatchObject({
      groupId: larger.groupId,
      kind: 'heap-buffer-overflow',
      context: { replayed: true, exitCode: 1 },
    });
    expect(smaller.inputSizeBytes).toBeLessThan(larger.inputSizeBytes);
    const [job] = await jobsOf(master, JobKind.MINIMISE);
    const message = await messageOf(master, given(job).id);
    const from = larger.inputSizeBytes.toLocaleString('en-US');
    expect(message).toBe(`${from} -> ${smaller.inputSizeBytes} bytes`);
    expect(await listCrashGroups(master.connection, { limit: 10 })).toHaveLength(1);
    // What was made smaller is neither run again nor made smaller again.
    expect(await jobsOf(master, JobKind.REPRODUCE)).toHaveLength(1);
  });
});

describe('a new build', () => {
  test('without the bug marks its group as fixed, and a later one with it reopens the group', async () => {
    const master = await runMasterFor();
    await startBot(master, 'only');
    await fuzz(master, await build());
    const { firstCrashId } = await groupWhen(master, () => true);
    await reproducedCrash(master, firstCrashId);

    const same = await fuzz(master, await build('-DOTHERWISE_THE_SAME'));
    const tried = await eventually(async () => {
      const [job] = await jobsOf(master, JobKind.VERIFY);
      return job?.state === JobState.COMPLETED ? job : undefined;
    });
    expect(tried.spec?.targetSha256).toBe(same.spec?.targetSha256);
    expect(tried.result?.message).toBe('crashed 5 of 5');
    const { status } = await groupWhen(master, () => true);
    expect(status).toBe(CrashGroupStatus.NEW);

    const mended = await fuzz(master, await build('-DMENDED'));
    const fixed = await groupWhen(master, (group) => group.status === CrashGroupStatus.FIXED);
    expect(fixed).toMatchObject({
      fixedInSha256: mended.spec?.targetSha256,
      reopenedAt: undefined,
    });

    await fuzz(master, await build('-DMENDED', '-UMENDED'));
    const reopened = await groupWhen(master, (group) => group.status !== CrashGroupStatus.FIXED);
    expect(reopened).toMatchObject({
      id: fixed.id,
      status: CrashGroupStatus.NEW,
      reopenedAt: expect.any(Date),
    });
  });

  test('that crashes in another way has not mended the bug, and that crash is kept too', async () => {
    const master = await runMasterFor();
    await startBot(master, 'only');
    await fuzz(master, await build());
    const { id, firstCrashId } = await groupWhen(master, () => true);
    await reproducedCrash(master, firstCrashId);
    const file = { path: await build('-DSTRANGE'), kind: ArtifactKind.TARGET, name: 'strange' };
    const { sha256: targetSha256 } = given(
      (await uploadArtifact(master.connection, file)).artifact,
    );
    const { crashes } = master.connection;
    const request = { targetSha256, project: 'default', targetName: 'fragile', executable: '' };
    const { jobId } = await unary(crashes, crashes.verifyBuild, request);
    expect(await messageOf(master, jobId)).toBe('crashed 5 of 5, but in another way');
    const { group, builds } = await unary(crashes, crashes.getCrashGroup, { groupId: id });
    expect(group?.status).toBe(CrashGroupStatus.NEW);
    expect(builds.find((one) => one.targetSha256 === targetSha256)).toMatchObject({
      crashes: true,
      hits: 0,
      verifiedAt: expect.any(Date),
    });
    const page = { pageSize: 10, pageToken: '', groupId: '', jobId };
    const kept = await unary(crashes, crashes.listCrashes, page);
    expect(kept.crashes).toMatchObject([{ topFrame: 'give_up', targetName: 'fragile' }]);
  });

  test('that cannot be run says nothing about the bug', async () => {
    const master = await runMasterFor({ PANDAFUZZ_JOBS_MAX_ATTEMPTS: '1' });
    await startBot(master, 'only');
    await fuzz(master, await build());
    const { firstCrashId } = await groupWhen(master, () => true);
    await reproducedCrash(master, firstCrashId);
    const [job] = await submitJobs(master.connection, {
      targetPath: await build('-DBROKEN'),
      spec: { engine: 'libfuzzer' },
      count: 1,
    });
    await jobIn(master.connection, given(job).id, JobState.DEAD);
    const verification = await eventually(async () => {
      const jobs = await jobsOf(master, JobKind.VERIFY);
      return jobs.find(({ state }) => state === JobState.DEAD);
    });
    expect(verification.result?.message).toMatch(/^the target cannot be run here \(exit code 3\)/);
    const group = await groupWhen(master, () => true);
    expect(group.status).toBe(CrashGroupStatus.NEW);
  });
});

test('by command, a crash is run again as often as asked, or made smaller', async () => {
  const off = { PANDAFUZZ_CRASHES_REPRODUCE: 'off', PANDAFUZZ_CRASHES_VERIFY: 'off' };
  const master = await runMasterFor(off);
  await startBot(master, 'only');
  await fuzz(master, await build());
  const { id, firstCrashId, reproducerCrashId } = await groupWhen(master, () => true);
  const { crashes } = master.connection;
  const again = await unary(crashes, crashes.reproduceCrash, { id, runs: 3 });
  expect(again.crashId).toBe(reproducerCrashId);
  expect(await messageOf(master, again.jobId)).toBe('crashed 3 of 3');
  const smaller = await unary(crashes, crashes.minimiseCrash, {
    id: firstCrashId,
    seconds: 20,
  });
  expect(await messageOf(master, smaller.jobId)).toMatch(/^1,024 -> \d+ bytes$/);
  const { targetSha256 } = given((await fuzz(master, await build('-DMENDED'))).spec);
  const names = { project: '', targetName: '', executable: '' };
  const request = { targetSha256: given(targetSha256), ...names };
  const verified = await unary(crashes, crashes.verifyBuild, request);
  expect(verified.groups).toBe(1);
  expect(await messageOf(master, verified.jobId)).toBe('did not crash in 5 runs');
  await groupWhen(master, ({ status }) => status === CrashGroupStatus.FIXED);

  // A bundle as the new build, with the bug in it again: of its programs one is named.
  const bundle = join(temporaryFolder(), 'out');
  mkdirSync(bundle);
  copyFileSync(await build('-DAGAIN'), join(bundle, 'fragile_v2'));
  copyFileSync(await build('-DMENDED'), join(bundle, 'other'));
  const flags = { master: master.address, timeout: 60_000, json: true, wait: true };
  const target = { bundle, targetName: 'fragile' };
  expect(await verify({ ...flags, ...target }, 'fragile_v2')).toBe(0);
  const tried = (await jobsOf(master, JobKind.VERIFY)).map(({ spec, result }) => [
    given(spec).executable,
    result?.message,
  ]);
  expect(tried).toContainEqual(['fragile_v2', 'crashed 5 of 5']);
  // With the policy off, nothing else was made.
  expect(await listJobs(master.connection, everyJob)).toHaveLength(6);
});
