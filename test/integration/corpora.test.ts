import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Agent } from '../../src/bot/agent.js';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { importCorpus } from '../../src/client/corpora.js';
import { corpusInput } from '../../src/client/corpus.js';
import { silentLog } from '../../src/core/log.js';
import { CorpusOrigin } from '../../src/gen/pandafuzz/v1/corpus_service.js';
import { type Job, JobLimits, JobOutcome } from '../../src/gen/pandafuzz/v1/job.js';
import { listCrashGroups } from '../../src/operator/lists.js';
import { submitJobs } from '../../src/operator/submit.js';
import {
  aflPlusPlus,
  buildForAfl,
  buildForHonggfuzz,
  buildProgram,
  honggfuzz,
  honggfuzzFolder,
  withAddressSanitizer,
} from '../bot/programs/build.js';
import { atEnd, runMasterFor, temporaryFolder } from '../harness.js';
import { testWith } from '../languages/tools.js';
import { eventually, given } from '../steps.js';

/*
 * A real master, a real bot and builds of picky.c by a real clang: corpora that a new build
 * crashes on, that are merged, and that the next run begins with.
 */

const corpus = { project: 'default', targetName: 'picky' };

async function startBot(master: string, workDir: string): Promise<Agent> {
  const agent = await Agent.start({
    master,
    name: 'picky',
    workDir,
    slots: 1,
    labels: {},
    exchangeIntervalMs: 500,
    log: silentLog,
  });
  atEnd(() => agent.stop());
  return agent;
}

const build = (...flags: string[]) => buildProgram('picky.c', [...withAddressSanitizer, ...flags]);

/** Inputs that begin so, each with a byte of its own that the target tells apart. */
const inputsOf = (first: string, count: number) =>
  Array.from({ length: count }, (_, index) =>
    corpusInput(Buffer.from(`${first}xyz${'.'.repeat(index % 40)}${index}`)),
  );

async function ended({ jobs }: Connection, jobId: string): Promise<Job> {
  return eventually(async () => {
    const { job } = await unary(jobs, jobs.getJob, { jobId });
    return job?.finishedAt ? job : undefined;
  });
}

/** A job of this build, once it has ended. */
async function fuzzed(connection: Connection, targetPath: string, more: object = {}) {
  const limits = JobLimits.fromPartial({ maxDurationSeconds: 10, inputTimeoutSeconds: 3 });
  const spec = { engine: 'libfuzzer', targetName: 'picky', limits };
  const [job] = await submitJobs(connection, { targetPath, spec, count: 1, ...more });
  return ended(connection, given(job).id);
}

/** A job of this build, stopped once it has fuzzed, and `isEnough`. */
async function fuzzedUntil(
  connection: Connection,
  targetPath: string,
  isEnough: () => Promise<boolean>,
): Promise<Job> {
  const { jobs } = connection;
  const limits = JobLimits.fromPartial({ maxDurationSeconds: 3600, inputTimeoutSeconds: 3 });
  const spec = { engine: 'libfuzzer', targetName: 'picky', limits };
  const [job] = await submitJobs(connection, { targetPath, spec, count: 1 });
  const { id: jobId } = given(job);
  await eventually(async () => {
    const { job: now } = await unary(jobs, jobs.getJob, { jobId });
    const hasFuzzed = (now?.statistics?.executions ?? 0) > 0;
    return (hasFuzzed && (await isEnough())) || undefined;
  });
  await unary(jobs, jobs.cancelJob, { jobId });
  return ended(connection, jobId);
}

const shown = async ({ corpora }: Connection) =>
  given((await unary(corpora, corpora.getCorpus, { corpus })).corpus);

const putAside = async (connection: Connection, { spec }: Job) =>
  (await shown(connection)).builds.find(({ targetSha256 }) => targetSha256 === spec?.targetSha256)
    ?.putAside ?? 0;

const noWork = { PANDAFUZZ_CRASHES_REPRODUCE: 'off', PANDAFUZZ_CRASHES_VERIFY: 'off' };

test('a build that crashes and hangs on its corpus fuzzes without it, and the next bot knows', async () => {
  const { connection, address } = await runMasterFor(noWork);
  await importCorpus(connection, corpus, [
    ...inputsOf('n', 150),
    ...inputsOf('c', 10),
    ...inputsOf('a', 3),
    ...inputsOf('h', 1),
  ]);
  await startBot(address, temporaryFolder());
  const picky = await build('-DCRASHES', '-DHANGS');
  const asideFor = async () => (await shown(connection)).builds[0]?.putAside ?? 0;
  const groups = async () => {
    const found = await listCrashGroups(connection, { limit: 10 });
    return found.map(({ topFrame }) => topFrame);
  };
  const isKnown = async () => (await asideFor()) > 5 && (await groups()).includes('overflow');
  const first = await fuzzedUntil(connection, picky, isKnown);
  expect(first.result?.message).toMatch(/\d+ inputs are put aside for this build \(/);
  const found = await putAside(connection, first);
  expect(found).toBeGreaterThan(5);

  const second = await fuzzedUntil(connection, picky, async () => true);
  const known = /(\d+) known before/.exec(second.result?.message ?? '')?.[1];
  expect(Number(known)).toBeGreaterThanOrEqual(found);

  // Another build has nothing put aside, and is tried with all of it.
  const third = await fuzzed(connection, await build());
  expect(third.result).toMatchObject({ outcome: JobOutcome.COMPLETED, message: '' });
  expect(await putAside(connection, third)).toBe(0);
  expect((await shown(connection)).entries).toBeGreaterThanOrEqual(164);
});

const merging = [
  {
    engine: 'aflplusplus',
    tool: aflPlusPlus,
    built: () => buildForAfl('picky.c', ['-fsanitize=fuzzer']),
  },
  { engine: 'honggfuzz', tool: honggfuzz, built: () => buildForHonggfuzz('picky.c') },
];

for (const { engine, tool, built } of merging) {
  testWith(tool, `a corpus is merged by ${engine}`, async () => {
    const { connection, address } = await runMasterFor(noWork);
    process.env['PATH'] = `${honggfuzzFolder}:${process.env['PATH']}`;
    await startBot(address, temporaryFolder());
    await importCorpus(connection, corpus, inputsOf('n', 100));
    const notBefore = new Date(Date.now() + 3_600_000); // its build is all that is needed
    const spec = { engine, targetName: 'picky', notBefore };
    await submitJobs(connection, { targetPath: await built(), spec, count: 1 });
    const { corpora } = connection;
    const { jobId } = await unary(corpora, corpora.mergeCorpus, { corpus });
    const { result } = await ended(connection, jobId);
    expect(result).toMatchObject({
      outcome: JobOutcome.COMPLETED,
      message: expect.stringMatching(/^100 -> \d+ inputs; coverage (\d+) -> \1$/),
    });
    const { entries, lastMerge } = await shown(connection);
    expect(entries).toBeLessThan(50);
    expect(lastMerge).toMatchObject({ jobId, entriesBefore: 100, entriesAfter: entries });
  });
}

test('a run goes on beside a full corpus, and its job says so', async () => {
  const { connection, address } = await runMasterFor({
    ...noWork,
    PANDAFUZZ_CORPUS_MAX_INPUTS: '2',
    PANDAFUZZ_CORPUS_MERGE: 'off',
  });
  await importCorpus(connection, corpus, inputsOf('n', 2));
  await startBot(address, temporaryFolder());
  const { jobs } = connection;
  const limits = JobLimits.fromPartial({ maxDurationSeconds: 3600 });
  const spec = { engine: 'libfuzzer', targetName: 'picky', limits };
  const [job] = await submitJobs(connection, { targetPath: await build(), spec, count: 1 });
  const { id: jobId } = given(job);
  const saysSo = async () => {
    const { job: now } = await unary(jobs, jobs.getJob, { jobId });
    const { executions = 0, notes = [] } = now?.statistics ?? {};
    const isSaid = notes.some(({ text }) => /corpus of this target is full/.test(text));
    return (isSaid && executions > 1000) || undefined;
  };
  expect(await eventually(saysSo)).toBe(true);
  await unary(jobs, jobs.cancelJob, { jobId });
  expect((await ended(connection, jobId)).result?.outcome).toBe(JobOutcome.CANCELLED);
  expect((await shown(connection)).entries).toBe(2);
});

test('a corpus is merged by a bot: it covers the same with fewer inputs, and keeps the harmful', async () => {
  // By policy it would be merged before, where the run finds more than a thousand inputs.
  const { connection, address } = await runMasterFor({ ...noWork, PANDAFUZZ_CORPUS_MERGE: 'off' });
  await startBot(address, temporaryFolder());
  const job = await fuzzed(connection, await build('-DCRASHES'));
  await importCorpus(connection, corpus, [...inputsOf('n', 200), ...inputsOf('c', 2)]);
  const before = await shown(connection);
  const { corpora } = connection;
  const { jobId } = await unary(corpora, corpora.mergeCorpus, { corpus });
  const merge = await ended(connection, jobId);
  expect(merge.result).toMatchObject({
    outcome: JobOutcome.COMPLETED,
    message: expect.stringMatching(/inputs; coverage (\d+) -> \1; 2 inputs are put aside/),
  });
  const after = await shown(connection);
  expect(after.entries).toBeLessThan(before.entries);
  expect(after.lastMerge).toMatchObject({ jobId, entriesBefore: before.entries });
  const { coverage = 0 } = given(after.lastMerge).after ?? {};
  expect(coverage).toBeGreaterThan(1);
  expect(coverage).toBe(given(after.lastMerge).before?.coverage);
  expect(await putAside(connection, job)).toBe(2);
});

test('seeds join the corpus, and the next run of a bot begins with what it has on its disk', async () => {
  // A merge would leave some out.
  const { connection, address } = await runMasterFor({ ...noWork, PANDAFUZZ_CORPUS_MERGE: 'off' });
  const workDir = temporaryFolder();
  const seedsPath = join(temporaryFolder(), 'seeds');
  mkdirSync(join(seedsPath, 'deep'), { recursive: true });
  writeFileSync(join(seedsPath, 'one'), 'nxyz one');
  writeFileSync(join(seedsPath, 'deep', 'one'), 'nxyz two');
  const agent = await startBot(address, workDir);
  const target = await build();
  await fuzzed(connection, target, { seedsPath });
  const { sources, entries } = await shown(connection);
  expect(sources).toContainEqual(
    expect.objectContaining({ origin: CorpusOrigin.SEEDS, engine: 'libfuzzer', entries: 2 }),
  );
  await agent.stop();
  const [place = ''] = readdirSync(join(workDir, 'corpora'));
  const inputs = join(workDir, 'corpora', place, 'inputs');
  expect(readdirSync(inputs).length).toBeGreaterThan(entries / 2);
  expect(existsSync(join(inputs, corpusInput(Buffer.from('nxyz two')).sha256))).toBe(true);

  await startBot(address, workDir);
  const again = await fuzzed(connection, target);
  expect(given(again.statistics).corpusFiles).toBeGreaterThan(1);
  expect((await shown(connection)).entries).toBeGreaterThanOrEqual(entries);
});
