import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import {
  type DeepPartial,
  type Job,
  JobKind,
  JobSpec,
  JobState,
} from '../../src/gen/pandafuzz/v1/job.js';
import { listCrashGroups, listJobs } from '../../src/operator/lists.js';
import { submitJobs } from '../../src/operator/submit.js';
import { goBinary, goFuzzing } from '../bot/programs/build.js';
import { startedAgent } from '../bot/started-agent.js';
import { runMasterFor, type TestMaster, temporaryFolder } from '../harness.js';
import { testWith } from '../languages/tools.js';
import { eventually, given, jobIn } from '../steps.js';

/* A real master, a real bot, and Go's own fuzzing in a binary of "go test -c". */

interface Wish {
  readonly test?: string;
  readonly seeds: readonly string[];
  readonly spec?: DeepPartial<JobSpec>;
  readonly bundle?: string;
}

async function submitted({ connection }: TestMaster, wish: Wish): Promise<Job> {
  const seeds = join(temporaryFolder(), 'seeds');
  mkdirSync(seeds);
  for (const [index, seed] of wish.seeds.entries()) writeFileSync(join(seeds, `s${index}`), seed);
  const [job] = await submitJobs(connection, {
    target: wish.bundle ? { bundle: wish.bundle, executable: '' } : { file: goBinary },
    seedsPath: seeds,
    isChecked: true,
    spec: JobSpec.fromPartial({
      engine: '',
      arguments: wish.test ? [`-test.fuzz=^${wish.test}$`] : [],
      limits: { maxDurationSeconds: 60, maxCrashes: 1 },
      ...wish.spec,
    }),
    count: 1,
  });
  return given(job);
}

const groupsOf = async ({ connection }: TestMaster) =>
  (await listCrashGroups(connection, { limit: 10 })).map(
    ({ kind, topFrame, message }) => `${kind} in ${topFrame}: ${message}`,
  );

const quick = { PANDAFUZZ_CRASHES_MINIMISE: 'off' };

describe("Go's fuzzing", () => {
  testWith(
    goFuzzing,
    'finds a panic from a plain seed, shares inputs as plain bytes, and reproduces it',
    async () => {
      const master = await runMasterFor(quick);
      const { connection, address } = master;
      await startedAgent(address, { exchangeIntervalMs: 500 });
      const job = await submitted(master, { test: 'FuzzBytes', seeds: ['FU', 'FUZZ it'] });
      expect(job.spec?.engine).toBe('gofuzz');
      const done = await jobIn(connection, job.id, JobState.COMPLETED);
      expect(done.result?.message).toBe('');
      expect(await groupsOf(master)).toEqual([
        'panic in example.com/planted.tooDeep: planted: too deep',
      ]);
      const again = await eventually(async () => {
        const jobs = await listJobs(connection, { state: JobState.COMPLETED, limit: 10 });
        return jobs.find(({ spec }) => spec?.kind === JobKind.REPRODUCE);
      });
      expect(again.result?.message).toBe('crashed 5 of 5');
    },
  );

  testWith(goFuzzing, 'goes on past a finding, and a test may take a string', async () => {
    const master = await runMasterFor({ PANDAFUZZ_CRASHES_REPRODUCE: 'off' });
    const { connection, address } = master;
    await startedAgent(address, { exchangeIntervalMs: 500 });
    const limits = { maxDurationSeconds: 8 };
    const wish = { test: 'FuzzText', seeds: ['it fails', 'other'], spec: { limits } };
    const { id, spec } = await submitted(master, wish);
    const done = await jobIn(connection, id, JobState.COMPLETED);
    expect(done.statistics?.engineStarts).toBeGreaterThan(1);
    expect(done.statistics?.executions).toBeGreaterThan(100);
    expect(await groupsOf(master)).toEqual([
      expect.stringMatching(/^test-failure in .*: no such text/),
    ]);
    const { corpora } = connection;
    const corpus = { project: given(spec).project, targetName: given(spec).targetName };
    expect((await unary(corpora, corpora.getCorpusStats, corpus)).entries).toBeGreaterThan(0);
  });

  testWith(goFuzzing, 'runs where the package is: with what lies beside it', async () => {
    const master = await runMasterFor();
    const { connection, address } = master;
    await startedAgent(address);
    const bundle = temporaryFolder();
    copyFileSync(goBinary, join(bundle, 'planted.test'));
    mkdirSync(join(bundle, 'testdata'));
    writeFileSync(join(bundle, 'testdata', 'words.txt'), 'words');
    const spec = { limits: { maxDurationSeconds: 2 } };
    const { id } = await submitted(master, { test: 'FuzzBeside', seeds: ['x'], spec, bundle });
    await jobIn(connection, id, JobState.COMPLETED);
  });

  testWith(goFuzzing, 'fails at once where the job does not say which test', async () => {
    const master = await runMasterFor();
    await startedAgent(master.address);
    const { id } = await submitted(master, { seeds: ['x'] });
    const { result, attempt } = await jobIn(master.connection, id, JobState.DEAD);
    expect(result?.message).toMatch(/it has 5 fuzz tests: name one with -- -test\.fuzz=/);
    expect(attempt).toBe(1);
  });
});
