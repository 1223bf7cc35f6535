import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { importCorpus } from '../../src/client/corpora.js';
import { corpusInput } from '../../src/client/corpus.js';
import { type Job, JobOutcome } from '../../src/gen/pandafuzz/v1/job.js';
import { buildProgram } from '../bot/programs/build.js';
import { startedAgent } from '../bot/started-agent.js';
import { pandafuzz } from '../cli/run.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { eventually } from '../steps.js';

/*
 * A real master, a real bot with llvm-profdata and llvm-cov, and a coverage build of covered.c
 * by a real clang; the command brings the build and shows the reports.
 */

const instrumented = ['-fsanitize=fuzzer', '-fprofile-instr-generate', '-fcoverage-mapping'];
// Reports are made by these tests alone.
const settings = { PANDAFUZZ_CORPUS_COVERAGE: 'off' };
const hangsSoon = { PANDAFUZZ_JOBS_INPUT_TIMEOUT: '2s' };
const key = { project: 'default', targetName: 'covered' };
const source = 'test/bot/programs/covered.c';
const inputs = (...texts: string[]) => texts.map((text) => corpusInput(Buffer.from(text)));

/** Texts of lines of covered.c, by how often they ran. */
async function linesThat(
  { coverage }: Connection,
  path: string,
  passes: (count: number) => boolean,
): Promise<string[]> {
  const request = { ...key, reportId: 0, path, fromLine: 0 };
  const { lines } = await unary(coverage, coverage.getCoverageFile, request);
  return lines
    .filter(({ count }) => count !== undefined && passes(count))
    .map(({ text }) => text.trim());
}

test('a corpus is run through a coverage build, and its lines are shown and compared', async () => {
  const { connection, address } = await runMasterFor({ ...settings, ...hangsSoon });
  const { coverage, bots, corpora } = connection;
  await startedAgent(address);
  const tools = await eventually(async () => {
    const { bots: known } = await unary(bots, bots.listBots, { pageSize: 1, pageToken: '' });
    return known[0]?.engineDetails.find(({ name }) => name === 'coverage');
  });
  expect(tools.version).toMatch(/^LLVM \d+/);

  // Inputs that crash, end or hang the build cost no other input its lines.
  await importCorpus(connection, key, inputs('ac', 'zz', 'Cx', 'Ex', 'Hx', 'q'));
  const program = await buildProgram('covered.c', instrumented);
  const sources = join(temporaryFolder(), 'programs');
  mkdirSync(sources);
  cpSync(source, join(sources, basename(source)));
  const master = ['--master', address];
  const wait = ['--sources', sources, '--wait', ...master];
  const first = await pandafuzz(['coverage', 'run', 'covered', program, ...wait]);
  expect(first.code).toBe(0);
  expect(first.out).toContain('by 3 inputs; 3 inputs left out: the build crashes or hangs');

  const { files, report } = await unary(coverage, coverage.getCoverage, { ...key, reportId: 0 });
  expect(files.map(({ path, hasSource }) => [basename(path), hasSource])).toEqual([
    ['covered.c', true],
  ]);
  expect(report).toMatchObject({ inputs: 3, failedInputs: 3, note: '' });
  const path = files[0]?.path ?? '';
  const ran = await linesThat(connection, path, (count) => count > 0);
  expect(ran).toEqual(
    expect.arrayContaining(['return 0;', 'return 1;', 'return deep(data[1]) * 0;']),
  );
  const not = await linesThat(connection, path, (count) => count === 0);
  expect(not).toEqual(expect.arrayContaining(['return 2;', 'abort();', 'pause();', 'exit(3);']));

  const sha256s = inputs('Hx').map(({ sha256 }) => sha256);
  await unary(corpora, corpora.removeCorpusEntries, { corpus: key, sha256s });
  await importCorpus(connection, key, inputs('ab'));
  expect((await pandafuzz(['coverage', 'run', 'covered', '--wait', ...master])).code).toBe(0);
  const second = await unary(coverage, coverage.getCoverage, { ...key, reportId: 0 });
  expect(second.report?.change).toEqual({ newLines: 1, lostLines: 0 });

  const got = await pandafuzz(['coverage', 'get', 'covered', ...master]);
  expect(got.out).toMatch(/beside the last +1 line new, 0 lost/);
  const shown = await pandafuzz(['coverage', 'show', 'covered', 'covered.c', ...master]);
  expect(shown.out).toMatch(/ 1 \+\| +return 2;/);
  const html = join(temporaryFolder(), 'coverage.html');
  expect((await pandafuzz(['coverage', 'get', 'covered', '--html', html, ...master])).code).toBe(0);
  expect(readFileSync(html, 'utf8')).toContain('class="ran new">');
  const list = await pandafuzz(['coverage', 'list', ...master]);
  expect(list.out).toMatch(/default +covered .* \+1 -0/);
});

test('a build that is no coverage build, or none at all, is refused with words', async () => {
  const { connection, address } = await runMasterFor(settings);
  const { jobs } = connection;
  await startedAgent(address);
  await importCorpus(connection, key, inputs('ac'));
  const master = ['--master', address];
  const none = await pandafuzz(['coverage', 'run', 'covered', ...master]);
  expect(none).toMatchObject({ code: 1, err: expect.stringContaining('has no coverage build') });
  const plain = await buildProgram('covered.c', ['-fsanitize=fuzzer']);
  const { out } = await pandafuzz(['coverage', 'run', 'covered', plain, ...master]);
  const job = await eventually<Job>(async () => {
    const found = await unary(jobs, jobs.getJob, { jobId: out.trim() });
    return found.job?.finishedAt ? found.job : undefined;
  });
  expect(job.result?.outcome).toBe(JobOutcome.FAILED);
  expect(job.result?.message).toContain('compile and link it with clang -fprofile-instr-generate');
});
