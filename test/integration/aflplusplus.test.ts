import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { type DeepPartial, JobOutcome, JobSpec, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { listCrashes, listCrashGroups } from '../../src/operator/lists.js';
import { submitJobs } from '../../src/operator/submit.js';
import { aflPlusPlus, buildForAfl } from '../bot/programs/build.js';
import { startedAgent } from '../bot/started-agent.js';
import { runMasterFor, type TestMaster, temporaryFolder } from '../harness.js';
import { testWith } from '../languages/tools.js';
import { given, jobIn } from '../steps.js';

/*
 * A real master, a real bot, the real AFL++, and programs of this project's that its compiler
 * has built.
 */

function seedsFolder(seeds: readonly string[]): string {
  const folder = join(temporaryFolder(), 'seeds');
  mkdirSync(folder);
  for (const [index, seed] of seeds.entries()) writeFileSync(join(folder, `s,${index}`), seed);
  return folder;
}

interface Situation {
  readonly targetPath: string;
  readonly seeds: readonly string[];
  readonly spec?: DeepPartial<JobSpec>;
}

/** Fuzzes the target by a bot of its own, to the end. */
async function fuzzed({ connection, address }: TestMaster, situation: Situation) {
  await startedAgent(address);
  const { targetPath, seeds, spec } = situation;
  const [job] = await submitJobs(connection, {
    targetPath,
    seedsPath: seedsFolder(seeds),
    spec: JobSpec.fromPartial({
      engine: 'aflplusplus',
      limits: { maxDurationSeconds: 10, ...spec?.limits },
      ...spec,
    }),
    count: 1,
  });
  return jobIn(connection, given(job).id, JobState.COMPLETED);
}

/** Of each group its kind and its innermost frame. */
async function groupsOf({ connection }: TestMaster): Promise<string[]> {
  const groups = await listCrashGroups(connection, { limit: 10 });
  return groups.map(({ kind, topFrame }) => `${kind} in ${topFrame}`).sort();
}

const twoBugs = ['ABRT in give_up', 'heap-buffer-overflow in overflow'];

describe('AFL++', () => {
  testWith(aflPlusPlus, "finds what is planted in a target with libFuzzer's entry point", async () => {
    const master = await runMasterFor({ PANDAFUZZ_CRASHES_REPRODUCE: 'off' });
    const targetPath = await buildForAfl('planted.c', ['-fsanitize=fuzzer']);
    const job = await fuzzed(master, { targetPath, seeds: ['O_', 'G_'] });
    expect(job.statistics).toMatchObject({
      executions: expect.any(Number),
      coverage: expect.any(Number),
    });
    expect(job.statistics?.executions).toBeGreaterThan(1000);
    expect(job.result).toMatchObject({ outcome: JobOutcome.COMPLETED, message: '' });
    expect(await groupsOf(master)).toEqual(twoBugs);
    const { connection } = master;
    const [first] = await listCrashes(connection, { groupId: '', jobId: job.id, limit: 1 });
    const request = { crashId: given(first).id };
    const { crash } = await unary(connection.crashes, connection.crashes.getCrash, request);
    expect(crash?.report).toMatch(/ #0 0x/);
    expect(crash?.context).toMatchObject({
      engine: 'aflplusplus',
      engineVersion: expect.stringMatching(/^AFL\+\+ \d/),
      replayed: true,
    });
    const { targetName } = given(job.spec);
    const { corpora } = connection;
    const { entries } = await unary(corpora, corpora.getCorpusStats, { targetName });
    expect(entries).toBeGreaterThan(0);
  });
});
