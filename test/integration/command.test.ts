import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { type DeepPartial, JobKind, JobSpec, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { listCrashes, listCrashGroups, listJobs } from '../../src/operator/lists.js';
import { submitJobs } from '../../src/operator/submit.js';
import { buildProgram } from '../bot/programs/build.js';
import { startedAgent } from '../bot/started-agent.js';
import { runMasterFor, type TestMaster, temporaryFolder } from '../harness.js';
import { eventually, given, jobIn } from '../steps.js';

/** A bundle of the example engine and a program that it runs. */
async function exampleBundle(): Promise<string> {
  const bundle = temporaryFolder();
  copyFileSync('examples/command-engine/engine.sh', join(bundle, 'engine.sh'));
  copyFileSync(await buildProgram('stages.c', ['-fsanitize=address']), join(bundle, 'target'));
  return bundle;
}

async function submitted({ connection }: TestMaster, spec: DeepPartial<JobSpec>, seed?: string) {
  const seeds = join(temporaryFolder(), 'seeds');
  mkdirSync(seeds);
  if (seed !== undefined) writeFileSync(join(seeds, 'a seed'), seed);
  const [job] = await submitJobs(connection, {
    target: { bundle: await exampleBundle(), executable: 'engine.sh' },
    seeds: seed === undefined ? [] : [seeds],
    isChecked: true,
    spec: JobSpec.fromPartial({ engine: '', ...spec }),
    count: 1,
  });
  return given(job);
}

describe('an engine of the command convention: the example in shell', () => {
  test('finds a bug from a seed, which is replayed and reproduced', async () => {
    const master = await runMasterFor({ PANDAFUZZ_CRASHES_MINIMISE: 'off' });
    const { connection, address } = master;
    await startedAgent(address, { exchangeIntervalMs: 1000 });
    const limits = { maxDurationSeconds: 120, maxCrashes: 1 };
    const { id, spec } = await submitted(master, { limits }, 'O!');
    expect(spec?.engine).toBe('command');
    const job = await jobIn(connection, id, JobState.COMPLETED);
    expect(job.statistics?.executions).toBeGreaterThan(0);
    expect(job.statistics?.coverage).toBeGreaterThan(0);
    const [group] = await listCrashGroups(connection, { limit: 10 });
    expect(group).toMatchObject({ kind: 'heap-buffer-overflow', topFrame: 'overflow' });
    const [first] = await listCrashes(connection, { groupId: '', jobId: id, limit: 1 });
    const request = { crashId: given(first).id };
    const { crash } = await unary(connection.crashes, connection.crashes.getCrash, request);
    expect(crash?.report).toMatch(/kept this input as crashes\/crash-/);
    const done = await eventually(async () => {
      const jobs = await listJobs(connection, { state: JobState.COMPLETED, limit: 10 });
      return jobs.find((one) => one.spec?.kind === JobKind.REPRODUCE);
    });
    expect(done.result?.message).toBe('crashed 5 of 5');
  });

  test('has its finds in the shared corpus, and begins without seeds', async () => {
    const master = await runMasterFor();
    const { connection, address } = master;
    await startedAgent(address, { exchangeIntervalMs: 500 });
    const { id, spec } = await submitted(master, { limits: { maxDurationSeconds: 60 } });
    const corpus = { project: given(spec).project, targetName: given(spec).targetName };
    await eventually(async () => {
      const { corpora } = connection;
      const { entries } = await unary(corpora, corpora.getCorpusStats, corpus);
      return entries > 1 || undefined;
    });
    await unary(connection.jobs, connection.jobs.cancelJob, { jobId: id, reason: '' });
    await jobIn(connection, id, JobState.CANCELLED);
  });
});
