import { gzipSync } from 'node:zlib';
import { status as Code } from '@grpc/grpc-js';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { importCorpus } from '../../src/client/corpora.js';
import { corpusInput } from '../../src/client/corpus.js';
import { failureOf } from '../../src/client/failure.js';
import { newId } from '../../src/core/ids.js';
import {
  CoverageBuild,
  CoverageDetail,
  CoverageFileUpload,
  LineChange,
} from '../../src/gen/pandafuzz/v1/coverage_service.js';
import { JobKind, JobOutcome } from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { shared } from '../endings.js';
import { runMasterFor } from '../harness.js';
import { createJob, given, pulledLease, registerBot, uploadTarget } from '../steps.js';

const refusalOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error) => failureOf(error),
  );

/** A file of a report: times that its first lines ran. */
function file(path: string, counts: number[], source?: string): CoverageFileUpload {
  const steps = counts.map(() => 1);
  const detail = CoverageDetail.create({ steps, counts, ...(source !== undefined && { source }) });
  const sums = { functions: 3, coveredFunctions: 1, regions: 9, coveredRegions: 4 };
  return CoverageFileUpload.create({
    path,
    sums: { lines: 0, coveredLines: 0, ...sums },
    detail: gzipSync(CoverageDetail.encode(detail).finish()),
  });
}

const key = (targetName: string) => ({ project: 'default', targetName });
const whole = {
  inputs: 4,
  failedInputs: 1,
  tools: 'LLVM 14.0.6',
  note: '',
  revision: 1,
  cursor: 4,
};

async function register(connection: Connection, targetName: string, bytes = Buffer.from('cov')) {
  const { sha256: targetSha256 } = await uploadTarget(connection, bytes);
  const build = CoverageBuild.create({ targetSha256 });
  const { coverage } = connection;
  return unary(coverage, coverage.registerCoverageBuild, { ...key(targetName), build });
}

/** A target whose corpus has an input, and a coverage build. */
async function measurable(connection: Connection, targetName: string) {
  await importCorpus(connection, key(targetName), [corpusInput(Buffer.from(targetName))]);
  await register(connection, targetName);
}

/** The lease of a job that makes a report, for a bot that can. */
async function coverageLease(connection: Connection, targetName: string): Promise<Lease> {
  const { coverage, jobs } = connection;
  await unary(coverage, coverage.measureCoverage, key(targetName));
  const bot = await registerBot(connection, newId(), { engines: ['coverage'] });
  const wish = { botId: bot.id, waitMs: 10_000, leaseTtlMs: 0 };
  const { assignment } = await unary(jobs, jobs.assignJob, wish);
  expect(given(assignment).spec).toMatchObject({ kind: JobKind.COVERAGE, targetName });
  return given(given(assignment).lease);
}

/** Makes a report and ends its job. */
async function reported(connection: Connection, targetName: string, files: CoverageFileUpload[]) {
  const { coverage, jobs } = connection;
  const lease = await coverageLease(connection, targetName);
  await unary(coverage, coverage.addCoverageFiles, { lease, files });
  const { report } = await unary(coverage, coverage.finishCoverage, { lease, ...whole });
  const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined };
  await unary(jobs, jobs.completeJob, { lease, result });
  return given(report);
}

const shown = ({ coverage }: Connection, targetName: string, reportId = 0) =>
  unary(coverage, coverage.getCoverage, { ...key(targetName), reportId });

const linesOf = ({ coverage }: Connection, targetName: string, path: string, fromLine = 0) =>
  unary(coverage, coverage.getCoverageFile, { ...key(targetName), reportId: 0, path, fromLine });

// Reports are made by these tests alone.
const settings = { PANDAFUZZ_CORPUS_COVERAGE: 'off' };
let connection: Connection;
beforeAll(async () => {
  ({ connection } = await shared(() => runMasterFor(settings)));
});

describe('a coverage build', () => {
  test('is an artifact that was uploaded, and replaced by the next', async () => {
    const { coverage } = connection;
    const build = CoverageBuild.create({ targetSha256: 'a'.repeat(64) });
    const unknown = { ...key('built'), build };
    const refused = await refusalOf(unary(coverage, coverage.registerCoverageBuild, unknown));
    expect(refused?.code).toBe(Code.NOT_FOUND);
    expect((await refusalOf(shown(connection, 'built')))?.code).toBe(Code.NOT_FOUND);
    const first = await register(connection, 'built');
    const second = await register(connection, 'built', Buffer.from('another'));
    expect(second.coverage?.build?.targetSha256).not.toBe(first.coverage?.build?.targetSha256);
    expect((await shown(connection, 'built')).coverage).toEqual(second.coverage);
  });

  test('measures nothing while the corpus is empty', async () => {
    const { coverage } = connection;
    await register(connection, 'empty');
    const refused = await refusalOf(unary(coverage, coverage.measureCoverage, key('empty')));
    expect(refused?.reason).toBe('NOTHING_TO_MEASURE');
  });

  test('has one job at a time', async () => {
    const { coverage } = connection;
    await measurable(connection, 'once');
    const first = await unary(coverage, coverage.measureCoverage, key('once'));
    const second = await unary(coverage, coverage.measureCoverage, key('once'));
    expect([first.underWay, second.underWay]).toEqual([false, true]);
    expect(second.jobId).toBe(first.jobId);
    expect((await shown(connection, 'once')).coverage?.measuringJobId).toBe(first.jobId);
    const { jobs } = connection;
    await unary(jobs, jobs.cancelJob, { jobId: first.jobId });
  });
});

describe('a report', () => {
  test('has sums of its files, and each line with its source', async () => {
    await measurable(connection, 'png');
    const report = await reported(connection, 'png', [
      file('/src/a.c', [1, 0, 5], 'one\ntwo\nthree\n// end\n'),
      file('/src/b.c', [0, 0]),
    ]);
    expect(report).toMatchObject({
      sums: { lines: 5, coveredLines: 2, functions: 6, coveredFunctions: 2, regions: 18 },
      ...{ files: 2, inputs: 4, failedInputs: 1, tools: 'LLVM 14.0.6', change: undefined },
    });
    const { files, reports } = await shown(connection, 'png');
    expect(reports).toEqual([report]);
    expect(files.map(({ path, hasSource }) => [path, hasSource])).toEqual([
      ['/src/a.c', true],
      ['/src/b.c', false],
    ]);
    const withSource = await linesOf(connection, 'png', '/src/a.c');
    expect(withSource.lines.map(({ number, count, text }) => [number, count, text])).toEqual([
      [1, 1, 'one'],
      [2, 0, 'two'],
      [3, 5, 'three'],
      [4, undefined, '// end'],
    ]);
    const figuresAlone = await linesOf(connection, 'png', '/src/b.c', 2);
    expect(figuresAlone.lines.map(({ number, count }) => [number, count])).toEqual([[2, 0]]);
    const missing = await refusalOf(linesOf(connection, 'png', '/src/no.c'));
    expect(missing?.code).toBe(Code.NOT_FOUND);
  });

  test('says what is new and what is lost beside the one before', async () => {
    await measurable(connection, 'compared');
    await reported(connection, 'compared', [file('/a.c', [1, 1, 0, 0]), file('/gone.c', [1])]);
    const second = await reported(connection, 'compared', [
      file('/a.c', [1, 0, 3, 0]),
      file('/fresh.c', [0, 2]),
    ]);
    expect(second.change).toEqual({ newLines: 2, lostLines: 1 });
    expect(second.filesNotCompared).toBe(0);
    const { lines } = await linesOf(connection, 'compared', '/a.c');
    expect(lines.map(({ change }) => change)).toEqual([
      LineChange.UNSPECIFIED,
      LineChange.LOST,
      LineChange.NEW,
      LineChange.UNSPECIFIED,
    ]);
  });

  test('of another build compares files whose source is the same, and no others', async () => {
    await measurable(connection, 'rebuilt');
    await reported(connection, 'rebuilt', [
      file('/same.c', [1, 0], 'x\ny'),
      file('/changed.c', [1, 0], 'x\ny'),
      file('/unknown.c', [1, 0]),
    ]);
    await register(connection, 'rebuilt', Buffer.from('rebuilt'));
    const second = await reported(connection, 'rebuilt', [
      file('/same.c', [1, 1], 'x\ny'),
      file('/changed.c', [1, 1], 'x\nz'),
      file('/unknown.c', [1, 1]),
    ]);
    expect(second.change).toEqual({ newLines: 1, lostLines: 0 });
    expect(second.filesNotCompared).toBe(2);
    const { files } = await shown(connection, 'rebuilt');
    const compared = files.filter(({ change }) => change).map(({ path }) => path);
    expect(compared).toEqual(['/same.c']);
    const { lines } = await linesOf(connection, 'rebuilt', '/changed.c');
    expect(lines.every(({ change }) => change === LineChange.UNSPECIFIED)).toBe(true);
  });

  test('is kept with the nine before it', async () => {
    await measurable(connection, 'kept');
    const ids: number[] = [];
    for (let count = 0; count < 12; count++) {
      ids.push((await reported(connection, 'kept', [file('/a.c', [count])])).id);
    }
    const { reports } = await shown(connection, 'kept');
    expect(reports.map(({ id }) => id)).toEqual(ids.slice(2).reverse());
    const gone = await refusalOf(shown(connection, 'kept', given(ids[0])));
    expect(gone?.code).toBe(Code.NOT_FOUND);
    expect((await shown(connection, 'kept', given(ids[3]))).report?.id).toBe(ids[3]);
  });

  test('is the same when its end is sent twice', async () => {
    const { coverage } = connection;
    await measurable(connection, 'twice');
    const lease = await coverageLease(connection, 'twice');
    const files = [file('/a.c', [1])];
    await unary(coverage, coverage.addCoverageFiles, { lease, files });
    await unary(coverage, coverage.addCoverageFiles, { lease, files });
    const first = await unary(coverage, coverage.finishCoverage, { lease, ...whole });
    const late = [file('/late.c', [1])];
    await unary(coverage, coverage.addCoverageFiles, { lease, files: late });
    const second = await unary(coverage, coverage.finishCoverage, { lease, ...whole, inputs: 9 });
    expect(second).toEqual(first);
    expect((await shown(connection, 'twice')).files).toHaveLength(1);
  });

  test('of an attempt that broke off has no part in the next', async () => {
    const { coverage, jobs } = connection;
    await measurable(connection, 'broken');
    const lease = await coverageLease(connection, 'broken');
    await unary(coverage, coverage.addCoverageFiles, { lease, files: [file('/old.c', [1])] });
    const outcome = JobOutcome.INFRASTRUCTURE;
    const result = { outcome, message: 'bot is shutting down', statistics: undefined };
    await unary(jobs, jobs.completeJob, { lease, result });
    const stale = await refusalOf(unary(coverage, coverage.finishCoverage, { lease, ...whole }));
    expect(stale?.reason).toBe('STALE_LEASE');
    await reported(connection, 'broken', [file('/new.c', [1])]);
    const { files, report } = await shown(connection, 'broken');
    expect(files.map(({ path }) => path)).toEqual(['/new.c']);
    expect(report?.change).toBeUndefined();
  });

  test('is made by jobs of its kind alone, and not without a file', async () => {
    const { coverage } = connection;
    await createJob(connection, { targetName: 'fuzzed' });
    const lease = await pulledLease(connection, 'fuzzer');
    const add = unary(coverage, coverage.addCoverageFiles, { lease, files: [file('/a.c', [1])] });
    expect((await refusalOf(add))?.reason).toBe('NO_COVERAGE');
    await measurable(connection, 'nothing');
    const other = await coverageLease(connection, 'nothing');
    const end = unary(coverage, coverage.finishCoverage, { lease: other, ...whole });
    expect((await refusalOf(end))?.reason).toBe('NO_COVERAGE');
  });

  test.each([
    ['a bomb', { detail: gzipSync(Buffer.alloc(5 * 2 ** 20)) }],
    ['what is no gzip', { detail: Buffer.from('text') }],
    ['what is no detail', { detail: gzipSync(Buffer.from([10, 255])) }],
    ['lines that do not rise', { detail: detailOf({ steps: [1, 0], counts: [1, 1] }) }],
    ['lines without counts', { detail: detailOf({ steps: [1, 1], counts: [1] }) }],
    ['a path with control characters', { path: '/a\u001b[2J.c' }],
    ['more that ran than there is', { sums: { ...file('/', [1]).sums, coveredRegions: 10 } }],
  ])('takes no file with %s', async (_what, wrong) => {
    const { coverage } = connection;
    const lease = { jobId: newId(), attempt: 1, fence: 1 };
    const files = [{ ...file('/a.c', [1]), ...wrong } as CoverageFileUpload];
    const refused = await refusalOf(unary(coverage, coverage.addCoverageFiles, { lease, files }));
    expect(refused?.code).toBe(Code.INVALID_ARGUMENT);
  });
});

function detailOf(detail: { steps: number[]; counts: number[] }): Buffer {
  return gzipSync(CoverageDetail.encode({ ...detail, source: undefined }).finish());
}

test('coverage is listed by project and target, page by page', async () => {
  const { coverage } = connection;
  const names = ['list-a', 'list-b', 'list-c'];
  for (const name of names) {
    const { sha256: targetSha256 } = await uploadTarget(connection, Buffer.from('cov'));
    const build = CoverageBuild.create({ targetSha256 });
    const request = { project: 'listed', targetName: name, build };
    await unary(coverage, coverage.registerCoverageBuild, request);
  }
  const found: string[] = [];
  let pageToken = '';
  do {
    const page = { pageSize: 2, pageToken, project: 'listed' };
    const answer = await unary(coverage, coverage.listCoverage, page);
    found.push(...answer.coverage.map(({ targetName }) => targetName));
    pageToken = answer.nextPageToken;
  } while (pageToken !== '');
  expect(found).toEqual(names);
});
