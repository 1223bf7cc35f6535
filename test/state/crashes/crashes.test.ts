import { describe, expect, test } from '@jest/globals';
import { NotFoundError, ValidationError } from '../../../src/core/errors.js';
import { newId } from '../../../src/core/ids.js';
import { CrashContext } from '../../../src/gen/pandafuzz/v1/crash.js';
import { CrashReport } from '../../../src/gen/pandafuzz/v1/crash_service.js';
import { testContext } from '../../harness.js';
import { Scene, scripted, sha256 } from './scene.js';

const none = { pageSize: 0, pageToken: '', groupId: '', jobId: '' };

describe('crashes', () => {
  test('fall into the group of their signature, in their project and target', async () => {
    const scene = await Scene.open(scripted(2));
    const build = await scene.build('one');
    const lease = await scene.lease(build);
    const first = await scene.crash(lease, 'v2=parse/10');
    const second = await scene.crash(lease, 'v2=parse/12');
    const other = await scene.crash(lease, 'v2=paint/10');
    const elsewhere = await scene.crash(await scene.lease(build, { project: 'x' }), 'v2=parse/10');
    const renamed = await scene.crash(
      await scene.lease(build, { targetName: 'other' }),
      'v2=parse/10',
    );
    expect(first).toMatchObject({ newGroup: true, duplicate: false, late: false });
    expect(second).toMatchObject({ newGroup: false, groupId: first.groupId });
    const groups = [first, other, elsewhere, renamed].map(({ groupId }) => groupId);
    expect(new Set(groups).size).toBe(4);
    expect(await scene.group(first.groupId)).toMatchObject({
      project: 'default',
      targetName: 'demo',
      kind: 'kind of parse',
      message: 'message parse',
      topFrame: 'parse',
      frames: [{ function: 'parse', line: 10, own: true }],
      count: 2,
      crashHits: 2,
      crashInputsKept: 2,
      jobs: 1,
      bots: 1,
      builds: 1,
      status: 1,
      firstCrashId: first.crashId,
      mergedInto: '',
    });
  });

  test('whose report cannot be read are listed together, and each input is kept', async () => {
    const scene = await Scene.open(scripted(2));
    const lease = await scene.lease(await scene.build('one'));
    const crashes = [await scene.crash(lease, ''), await scene.crash(lease, 'no word of it')];
    expect(crashes[1]?.groupId).toBe(crashes[0]?.groupId);
    const inputs = await Promise.all(
      crashes.map(async ({ crashId }) => {
        const { inputSha256 } = await scene.state.crashes.get(testContext(), crashId);
        const whole = { offset: 0, chunkBytes: 2 ** 20 };
        const read = await scene.state.blobs.read(testContext(), inputSha256, whole).next();
        return read.value;
      }),
    );
    expect(inputs.map(String)).toEqual(['input 1', 'input 2']);
  });

  test('count hits as totals of each attempt, however often they are sent', async () => {
    const scene = await Scene.open(scripted(2));
    const lease = await scene.lease(await scene.build('one'));
    const { crashId, groupId } = await scene.crash(lease, 'v2=parse/10', { input: 'a', hits: 2 });
    const again = await scene.crash(lease, 'v2=parse/10', { input: 'a', hits: 2 });
    expect(again).toMatchObject({ crashId, duplicate: true, newGroup: false });
    await scene.crash(lease, 'v2=parse/10', { input: 'b' });
    const report = (hits: number) =>
      scene.state.crashes.reportHits(testContext(), { lease, hits: [{ crashId, hits }] });
    for (const hits of [7, 7, 5]) await report(hits);
    expect(await scene.state.crashes.get(testContext(), crashId)).toMatchObject({ hits: 7 });
    expect(await scene.group(groupId)).toMatchObject({ crashHits: 8, crashInputsKept: 2 });
    expect(await scene.stats()).toMatchObject({ crashHits: 8, crashInputsKept: 2, crashes: 2 });
    const { builds } = await scene.state.crashGroups.get(testContext(), groupId);
    expect(builds).toMatchObject([{ targetSha256: sha256('one'), hits: 8 }]);
  });

  test('count nothing when one of their hits names a crash that never was', async () => {
    const scene = await Scene.open(scripted(2));
    const lease = await scene.lease(await scene.build('one'));
    const { crashId } = await scene.crash(lease, 'v2=parse/10');
    const hits = [
      { crashId, hits: 9 },
      { crashId: newId(), hits: 9 },
    ];
    const call = scene.state.crashes.reportHits(testContext(), { lease, hits });
    await expect(call).rejects.toBeInstanceOf(NotFoundError);
    expect(await scene.stats()).toMatchObject({ crashHits: 1 });
  });

  test('of an unknown job are refused before a byte of the input is taken', async () => {
    const scene = await Scene.open(scripted(2));
    const build = await scene.build('one');
    const known = await scene.lease(build);
    let asked = 0;
    const bytes = async function* () {
      asked++;
      yield Buffer.from('x');
    };
    const about = { inputSha256: sha256('x'), inputSizeBytes: 1, report: '' };
    for (const lease of [
      { ...known, jobId: newId() },
      { ...known, fence: 99 },
    ]) {
      const report = CrashReport.create({ lease, ...about });
      const call = scene.state.crashes.report(testContext(), report, bytes());
      await expect(call).rejects.toBeInstanceOf(NotFoundError);
    }
    const from = CrashReport.create({ lease: known, ...about, minimisedFrom: newId() });
    const call = scene.state.crashes.report(testContext(), from, bytes());
    await expect(call).rejects.toBeInstanceOf(NotFoundError);
    expect(asked).toBe(0);
    expect(await scene.groups()).toEqual([]);
  });

  test('of an ended lease are kept, marked late', async () => {
    const scene = await Scene.open(scripted(2));
    const lease = await scene.lease(await scene.build('one'));
    await scene.complete(lease);
    const { crashId, late } = await scene.crash(lease, 'v2=parse/10');
    expect(late).toBe(true);
    expect(await scene.state.crashes.get(testContext(), crashId)).toMatchObject({ late: true });
  });

  test('come back with how they came about', async () => {
    const scene = await Scene.open(scripted(2));
    const lease = await scene.lease(await scene.build('one'));
    const context = CrashContext.create({
      exitCode: 77,
      command: ['./target', '-runs=1', 'a\u0000b'],
      environment: { A: 'b' },
      engine: 'libfuzzer',
      engineVersion: 'clang 14',
      targetSha256: sha256('one'),
      executions: 12345,
      replayed: true,
    });
    const about = { inputSha256: sha256(''), inputSizeBytes: 0, report: 'v2=parse/10 \u0000' };
    const report = CrashReport.create({ lease, ...about, context });
    const { crashId } = await scene.state.crashes.report(
      testContext(),
      report,
      (async function* () {})(),
    );
    const crash = await scene.state.crashes.get(testContext(), crashId);
    expect(crash.context).toEqual(context);
    expect(crash.report).toBe('v2=parse/10 \ufffd');
    expect(crash.stack).toMatchObject([{ function: 'parse', line: 10 }]);
    const { crashes } = await scene.state.crashes.list(testContext(), none);
    expect(crashes).toMatchObject([{ id: crashId, report: '', stack: [], context: undefined }]);
  });

  test('with a context beyond its bounds are refused with the fields named', async () => {
    const scene = await Scene.open(scripted(2));
    const lease = await scene.lease(await scene.build('one'));
    const context = CrashContext.create({
      command: Array.from({ length: 257 }, () => 'x'),
      environment: { A: 'x'.repeat(33_000) },
    });
    const about = { inputSha256: sha256('x'), inputSizeBytes: 1, report: '' };
    const report = CrashReport.create({ lease, ...about, context });
    const call = scene.state.crashes.report(testContext(), report, (async function* () {})());
    const error = await call.catch((one: ValidationError) => one);
    expect(error).toBeInstanceOf(ValidationError);
    const { violations } = (error as ValidationError).fields;
    expect(violations.map(({ path }) => path)).toEqual([
      'report.context.command',
      'report.context.environment',
    ]);
  });

  test('are met by every bot that has the job after another', async () => {
    const scene = await Scene.open(scripted(2));
    const build = await scene.build('one');
    const lease = await scene.lease(build);
    const { groupId, crashId } = await scene.crash(lease, 'v2=parse/10', { input: 'a' });
    await scene.lose(lease);
    const next = await scene.leaseOf(lease.jobId);
    await scene.crash(next, 'v2=parse/10', { input: 'a' });
    const hits = [{ crashId, hits: 4 }];
    await scene.state.crashes.reportHits(testContext(), { lease: next, hits });
    expect(await scene.group(groupId)).toMatchObject({ jobs: 1, bots: 2, builds: 1, crashHits: 5 });
    const other = await scene.crash(next, 'v2=paint/10');
    await scene.merge([groupId], other.groupId);
    expect(await scene.group(other.groupId)).toMatchObject({ jobs: 1, bots: 2, crashHits: 6 });
  });

  test('begin with the smallest of their group', async () => {
    const scene = await Scene.open(scripted(2));
    const lease = await scene.lease(await scene.build('one'));
    const { groupId, crashId } = await scene.crash(lease, 'v2=parse/10', { input: 'long input' });
    expect((await scene.group(groupId)).reproducerCrashId).toBe(crashId);
    const small = await scene.crash(lease, 'v2=parse/10', { input: 'short' });
    await scene.crash(lease, 'v2=parse/10', { input: 'longer than the others' });
    expect((await scene.group(groupId)).reproducerCrashId).toBe(small.crashId);
  });
});
