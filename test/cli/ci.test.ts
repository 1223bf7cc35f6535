import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { campaignOf } from '../../src/fuzz/ci.js';
import { metGroups } from '../../src/fuzz/ci-news.js';
import { CrashGroupStatus } from '../../src/gen/pandafuzz/v1/crash.js';
import {
  ListCrashGroupsRequest,
  SetCrashGroupStatusRequest,
} from '../../src/gen/pandafuzz/v1/crash_service.js';
import { JobOutcome, JobStatistics } from '../../src/gen/pandafuzz/v1/job.js';
import { createJob, given, registerBot, uploadTarget } from '../steps.js';
import { atWork } from './at-work.js';
import { reporter, sample } from './crash-scene.js';
import { pandafuzz } from './run.js';
import { sarifErrors } from './sarif-schema.js';

/* `pandafuzz ci` against a master, whose bot meets what a test says. */

type Crash = 'asan-null' | 'asan-use-after-free';

async function scene() {
  const work = await atWork();
  const { connection, folder } = work;
  const { jobs } = connection;
  const bot = await registerBot(connection);
  /** Takes the next job, meets these crashes in it, and ends it. */
  async function fuzzed(crashes: readonly Crash[], outcome = JobOutcome.COMPLETED) {
    const pull = { botId: bot.id, waitMs: 60_000, leaseTtlMs: 0 };
    const { assignment } = await unary(jobs, jobs.assignJob, pull, { timeoutMs: 90_000 });
    const { lease, spec } = given(assignment);
    const { targetSha256 } = given(spec);
    const report = reporter({ connection, folder, lease: given(lease), targetSha256 });
    for (const crash of crashes) await report(sample(crash), crash);
    const statistics = JobStatistics.create({ executions: 1000, crashHits: crashes.length });
    const message = outcome === JobOutcome.COMPLETED ? '' : 'libz.so.1 is missing';
    const result = { outcome, message, final: true, statistics };
    await unary(jobs, jobs.completeJob, { lease, result });
    return given(spec);
  }
  const builds = new Map<string, string>();
  /** What a run of `ci` with this build of a target makes of these crashes. */
  async function judged(build: string, crashes: readonly Crash[], change?: string) {
    const upload = async () => (await uploadTarget(connection, Buffer.from(build))).sha256;
    const targetSha256 = builds.get(build) ?? (await upload());
    builds.set(build, targetSha256);
    const campaign = campaignOf(change);
    const job = await createJob(connection, { targetSha256, targetName: 'fuzzer', campaign });
    const spec = await fuzzed(crashes);
    const { project, targetName } = spec;
    const about = { project, targetName, targetSha256, campaign, isChange: change !== undefined };
    const found: Record<string, string> = {};
    for await (const { dossier, known } of metGroups(
      connection,
      { ...about, createdAt: given(job.createdAt) },
      {},
    )) {
      found[dossier.group.kind] = known ?? 'new';
    }
    return found;
  }
  return { ...work, fuzzed, judged };
}

describe('a crash is new in a build', () => {
  test('if the build brought it, however often it is run', async () => {
    const { fuzzed, judged, connection } = await scene();
    await createJob(connection, { targetName: 'fuzzer' });
    await fuzzed(['asan-null']);
    const both: Crash[] = ['asan-null', 'asan-use-after-free'];
    const freed = 'heap-use-after-free';
    const known = expect.stringMatching(/^build [0-9a-f]{16} has it/);
    expect(await judged('one', both)).toEqual({ SEGV: known, [freed]: 'new' });
    expect(await judged('one', ['asan-use-after-free'])).toEqual({ [freed]: 'new' });
    expect(await judged('two', both)).toEqual({ SEGV: known, [freed]: known });
  });

  test('if nobody else met it with the same build', async () => {
    const { fuzzed, judged, connection } = await scene();
    const { sha256: targetSha256 } = await uploadTarget(connection, Buffer.from('one'));
    await createJob(connection, { targetName: 'fuzzer', targetSha256 });
    await fuzzed(['asan-null']);
    const known = expect.stringMatching(/^job \S+ met it before$/);
    expect(await judged('one', ['asan-null'])).toEqual({ SEGV: known });
  });

  test('for all builds of the change that brought it, as people decided', async () => {
    const { judged, connection } = await scene();
    const { crashes } = connection;
    expect(await judged('one', ['asan-null'], 'pull-1')).toEqual({ SEGV: 'new' });
    expect(await judged('two', ['asan-null'], 'pull-1')).toEqual({ SEGV: 'new' });
    const known = expect.stringMatching(/met it before/);
    expect(await judged('other', ['asan-null'], 'pull-2')).toEqual({ SEGV: known });

    const [group] = (await unary(crashes, crashes.listCrashGroups, ListCrashGroupsRequest.create()))
      .groups;
    const decide = (status: CrashGroupStatus) => {
      const groupId = given(group).id;
      const request = SetCrashGroupStatusRequest.create({ groupId, status, by: 'ana' });
      return unary(crashes, crashes.setCrashGroupStatus, request);
    };
    await decide(CrashGroupStatus.FIXED);
    expect(await judged('three', ['asan-null'])).toEqual({ SEGV: 'new' });
    await decide(CrashGroupStatus.IGNORED);
    const ignored = 'people decided to ignore it';
    expect(await judged('three', ['asan-null'])).toEqual({ SEGV: ignored });
  });
});

describe('the command', () => {
  test('fails for new crashes, and has them as SARIF and in a folder', async () => {
    const { run, fuzzed, folder } = await scene();
    writeFileSync(join(folder, 'out.sarif'), 'of an earlier run');
    const ran = run('ci', 'fuzzer', '--sarif', 'out.sarif', '--json', '--duration', '90s');
    const spec = await fuzzed(['asan-use-after-free']);
    expect(spec).toMatchObject({ campaign: 'ci', limits: { maxDurationSeconds: 90 } });
    const { code, out } = await ran;
    expect(code).toBe(10);
    const kind = 'heap-use-after-free';
    expect(JSON.parse(out)).toMatchObject({ executions: 1000, new: [{ kind }], known: [] });
    const sarif = JSON.parse(readFileSync(join(folder, 'out.sarif'), 'utf8'));
    expect(sarifErrors(sarif)).toEqual([]);
    expect(sarif.runs[0].results).toMatchObject([{ ruleId: kind }]);
    const [result = ''] = readdirSync(join(folder, 'fuzz-fuzzer/new'));
    const input = readFileSync(join(folder, 'fuzz-fuzzer/new', result, 'input'), 'utf8');
    expect(input).toBe('asan-use-after-free');
  });

  test('says that it could not fuzz, with a code of its own and no SARIF', async () => {
    const { run, fuzzed, folder } = await scene();
    writeFileSync(join(folder, 'out.sarif'), 'of an earlier run');
    const ran = run('ci', 'fuzzer', '--sarif', 'out.sarif');
    await fuzzed([], JobOutcome.FAILED);
    expect(await ran).toMatchObject({
      code: 11,
      err: expect.stringMatching(/^pandafuzz: could not fuzz: libz\.so\.1 is missing$/m),
    });
    expect(existsSync(join(folder, 'out.sarif'))).toBe(false);
    const environment = { PANDAFUZZ_MASTER: '127.0.0.1:1' };
    expect((await pandafuzz(['ci', 'fuzzer'], { environment, cwd: folder })).code).toBe(11);
  });

  test.each([
    [['ci', 'x', '--', '-dict=x.dict'], /send the dictionary with --dict x\.dict/],
    [['ci', 'x', '--source-root', 'here'], /--source-root must be a whole path/],
  ])('%j is wrong usage', async (args, complaint) => {
    expect(await pandafuzz(args)).toMatchObject({
      code: 64,
      err: expect.stringMatching(complaint),
    });
  });
});
