import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { segmentsOf } from '../../src/bot/sandbox/shared-memory.js';
import { unary } from '../../src/client/call.js';
import {
  type DeepPartial,
  type Job,
  JobKind,
  JobSpec,
  JobState,
} from '../../src/gen/pandafuzz/v1/job.js';
import { listCrashes, listCrashGroups, listJobs } from '../../src/operator/lists.js';
import { submitJobs } from '../../src/operator/submit.js';
import { aflPlusPlus, buildForAfl, buildProgram } from '../bot/programs/build.js';
import { startedAgent } from '../bot/started-agent.js';
import { runMasterFor, type TestMaster, temporaryFolder } from '../harness.js';
import { testWith } from '../languages/tools.js';
import { Process } from '../processes.js';
import { eventually, given, jobIn } from '../steps.js';

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
  readonly targetPath?: string;
  readonly target?: { readonly bundle: string; readonly executable: string };
  readonly seeds: readonly string[];
  readonly spec?: DeepPartial<JobSpec>;
  /** Executions that it comes to beside what is found; usually any number. */
  readonly least?: number;
}

const twoBugs = ['ABRT in give_up', 'heap-buffer-overflow in overflow'];

/** Fuzzes the target by a bot of its own, until these are found: how long that takes is not judged. */
async function fuzzedTo(
  wanted: readonly string[],
  master: TestMaster,
  situation: Situation,
): Promise<Job> {
  const { connection } = master;
  const limits = { ...situation.spec?.limits, maxDurationSeconds: 300 };
  const job = await begun(master, { ...situation, spec: { ...situation.spec, limits } });
  await eventually(async () => {
    const groups = await groupsOf(master);
    const isFound = wanted.every((one) => groups.some((group) => group.startsWith(one)));
    const { least = 0 } = situation;
    return (isFound && (await executionsOf(master, job.id)) >= least) || undefined;
  });
  await unary(connection.jobs, connection.jobs.cancelJob, { jobId: job.id });
  return jobIn(connection, job.id, JobState.CANCELLED);
}

/** Fuzzes the target by a bot of its own, to the end. */
async function fuzzed(master: TestMaster, situation: Situation): Promise<Job> {
  const { id } = await begun(master, situation);
  return jobIn(master.connection, id, JobState.COMPLETED);
}

async function begun({ connection, address }: TestMaster, situation: Situation): Promise<Job> {
  await startedAgent(address);
  const { targetPath, target, seeds, spec } = situation;
  const [job] = await submitJobs(connection, {
    ...(target ? { target } : { targetPath: given(targetPath) }),
    seedsPath: seedsFolder(seeds),
    spec: JobSpec.fromPartial({
      engine: 'aflplusplus',
      limits: { maxDurationSeconds: 10, ...spec?.limits },
      ...spec,
    }),
    count: 1,
  });
  return given(job);
}

async function executionsOf({ connection }: TestMaster, jobId: string): Promise<number> {
  const { job } = await unary(connection.jobs, connection.jobs.getJob, { jobId });
  return job?.statistics?.executions ?? 0;
}

/** Of each group its kind and its innermost frame. */
async function groupsOf({ connection }: TestMaster): Promise<string[]> {
  const groups = await listCrashGroups(connection, { limit: 10 });
  return groups.map(({ kind, topFrame }) => `${kind} in ${topFrame}`).sort();
}

const ways = [
  { way: 'from a file', flags: [], given: ['--', '--in', '@@'] },
  { way: 'from standard input', flags: [], given: [] },
  { way: 'from shared memory, in a loop', flags: ['-DLOOP'], given: [] },
];

describe('AFL++', () => {
  testWith(
    aflPlusPlus,
    "finds what is planted in a target with libFuzzer's entry point",
    async () => {
      const master = await runMasterFor({ PANDAFUZZ_CRASHES_REPRODUCE: 'off' });
      const targetPath = await buildForAfl('planted.c', ['-fsanitize=fuzzer']);
      const job = await fuzzedTo(twoBugs, master, { targetPath, seeds: ['O_', 'G_'] });
      expect(job.statistics).toMatchObject({
        executions: expect.any(Number),
        coverage: expect.any(Number),
      });
      expect(job.statistics?.executions).toBeGreaterThan(100);
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
    },
  );

  for (const { way, flags, given } of ways) {
    testWith(aflPlusPlus, `runs a target that takes its input ${way}`, async () => {
      const master = await runMasterFor({ PANDAFUZZ_CRASHES_REPRODUCE: 'off' });
      const targetPath = await buildForAfl('reads.c', flags);
      const limits = { maxDurationSeconds: 120, maxCrashes: 1 };
      const spec = { arguments: given, limits };
      const job = await fuzzed(master, { targetPath, seeds: ['O_', 'OW'], spec });
      expect(job.statistics?.executions).toBeGreaterThan(0);
      expect(await groupsOf(master)).toContain('heap-buffer-overflow in overflow');
    });
  }

  testWith(
    aflPlusPlus,
    'keeps hangs as timeouts, and seeds that crash or hang as what they are',
    async () => {
      const master = await runMasterFor({ PANDAFUZZ_CRASHES_REPRODUCE: 'off' });
      const targetPath = await buildForAfl('planted.c', ['-fsanitize=fuzzer', '-DHANGS']);
      const spec = { limits: { inputTimeoutSeconds: 1 } };
      const wanted = ['ABRT in give_up', 'timeout'];
      await fuzzedTo(wanted, master, { targetPath, seeds: ['O_', 'SP', 'GU'], spec });
      const groups = await groupsOf(master);
      expect(groups.filter((group) => group.startsWith('timeout'))).toHaveLength(1);
    },
  );

  testWith(
    aflPlusPlus,
    'finds what is behind a comparison by the CmpLog build in a bundle',
    async () => {
      const master = await runMasterFor({ PANDAFUZZ_CRASHES_REPRODUCE: 'off' });
      const flags = ['-fsanitize=fuzzer', '-DBUG'];
      const built = await buildForAfl('magic.c', flags, { hasCmplog: true });
      const target = { bundle: dirname(built), executable: basename(built) };
      await fuzzedTo(['ABRT in LLVMFuzzerTestOneInput'], master, {
        target,
        seeds: ['s'.repeat(16)],
      });
    },
  );

  testWith(aflPlusPlus, 'comes to fuzz although every seed crashes', async () => {
    const master = await runMasterFor({ PANDAFUZZ_CRASHES_REPRODUCE: 'off' });
    const targetPath = await buildForAfl('planted.c', ['-fsanitize=fuzzer']);
    const job = await fuzzedTo(twoBugs, master, {
      targetPath,
      seeds: ['OV', 'GU'],
      least: 100,
    });
    expect(job.statistics?.executions).toBeGreaterThanOrEqual(100);
    expect(await groupsOf(master)).toEqual(twoBugs);
  });

  testWith(aflPlusPlus, 'fuzzes with as many instances as a job asks for', async () => {
    const master = await runMasterFor({ PANDAFUZZ_CRASHES_REPRODUCE: 'off' });
    const targetPath = await buildForAfl('planted.c', ['-fsanitize=fuzzer']);
    const spec = { arguments: ['--instances=2'] };
    await fuzzedTo(twoBugs, master, { targetPath, seeds: ['O_', 'G_'], spec });
    expect(await groupsOf(master)).toEqual(twoBugs);
  });

  testWith(
    aflPlusPlus,
    'goes on from its own queue after it was killed, and leaves no shared memory',
    async () => {
      const master = await runMasterFor({ PANDAFUZZ_CRASHES_REPRODUCE: 'off' });
      const { connection, address } = master;
      const workDir = temporaryFolder();
      await startedAgent(address, { workDir, isolation: 'none' }); // process ids are the engine's own
      const [job] = await submitJobs(connection, {
        targetPath: await buildForAfl('magic.c', ['-fsanitize=fuzzer']),
        seedsPath: seedsFolder(['O_', 'G_']),
        spec: JobSpec.fromPartial({ engine: 'aflplusplus', limits: { maxDurationSeconds: 20 } }),
        count: 1,
      });
      const stats = () =>
        globSync('runs/*/engine/out/main/fuzzer_stats', { cwd: workDir }).map((path) =>
          readFileSync(join(workDir, path), 'utf8'),
        )[0];
      const pidOf = (text = '') => Number(/fuzzer_pid *: (\d+)/.exec(text)?.[1] ?? 0) || undefined;
      const first = await eventually(async () => pidOf(stats()));
      process.kill(first, 'SIGKILL');
      const second = await eventually(async () => {
        const pid = pidOf(stats());
        return pid === first ? undefined : pid;
      });
      const segments = segmentsOf([first], readFileSync('/proc/sysvipc/shm', 'utf8'));
      expect(segments).toEqual([]);
      const { result } = await jobIn(connection, given(job).id, JobState.COMPLETED);
      expect(result?.message).toMatch(/ended by itself once .*SIGKILL/);
      expect(segmentsOf([second], readFileSync('/proc/sysvipc/shm', 'utf8'))).toEqual([]);
    },
  );

  testWith(aflPlusPlus, 'runs its crashes again, and makes their inputs smaller', async () => {
    const settings = { PANDAFUZZ_CRASHES_MINIMISE: 'on', PANDAFUZZ_CRASHES_MINIMISE_TIME: '30s' };
    const master = await runMasterFor(settings);
    const targetPath = await buildForAfl('planted.c', ['-fsanitize=fuzzer']);
    const limits = { maxDurationSeconds: 30, maxCrashes: 1 };
    const seeds = ['nothing', `GU${'.'.repeat(1022)}`];
    await fuzzed(master, { targetPath, seeds, spec: { limits } });
    const done = await eventually(async () => {
      const jobs = await listJobs(master.connection, { state: JobState.COMPLETED, limit: 10 });
      return jobs.find(({ spec }) => spec?.kind === JobKind.MINIMISE);
    });
    expect(done.result?.message).toMatch(/^1,024 -> \d bytes$/);
    const jobs = await listJobs(master.connection, { state: JobState.COMPLETED, limit: 10 });
    const again = jobs.find(({ spec }) => spec?.kind === JobKind.REPRODUCE);
    expect(again?.result?.message).toBe('crashed 5 of 5');
    expect(await groupsOf(master)).toContain('ABRT in give_up');
  });

  testWith(aflPlusPlus, 'goes on from its own queue after its bot was started again', async () => {
    const { connection, address } = await runMasterFor();
    const workDir = temporaryFolder();
    const bot = await startedAgent(address, { workDir, isolation: 'none' }); // process ids are the engine's own
    const [job] = await submitJobs(connection, {
      targetPath: await buildForAfl('planted.c', ['-fsanitize=fuzzer']),
      spec: JobSpec.fromPartial({ engine: 'aflplusplus', limits: { maxDurationSeconds: 600 } }),
      count: 1,
    });
    const stats = () => globSync('runs/*/engine/out/main/fuzzer_stats', { cwd: workDir });
    const first = await eventually(async () => stats()[0]);
    await bot.stop();
    expect(stats()).toEqual([]);
    await startedAgent(address, { workDir, isolation: 'none' }); // process ids are the engine's own
    const second = await eventually(async () => stats()[0]);
    expect(second).not.toBe(first);
    // The figures that AFL++ goes on counting from.
    const before = () => globSync('runs/*/engine/before/main', { cwd: workDir })[0];
    await eventually(async () => before());
    expect((await jobIn(connection, given(job).id, JobState.RUNNING)).attempt).toBeGreaterThan(0);
  });

  testWith(
    aflPlusPlus,
    'leaves no shared memory when its bot is killed and started again',
    async () => {
      const { connection, address } = await runMasterFor();
      const workDir = temporaryFolder();
      const args = ['bot', '--master', address, '--name', 'killed', '--work-dir', workDir];
      const bot = new Process([...args, '--slots', '1', '--no-corpus', '--isolation', 'none']);
      await submitJobs(connection, {
        targetPath: await buildForAfl('planted.c', ['-fsanitize=fuzzer']),
        spec: JobSpec.fromPartial({ engine: 'aflplusplus', limits: { maxDurationSeconds: 600 } }),
        count: 1,
      });
      const pid = await eventually(async () => {
        const [stats] = globSync('runs/*/engine/out/main/fuzzer_stats', { cwd: workDir });
        const text = stats ? readFileSync(join(workDir, stats), 'utf8') : '';
        return Number(/fuzzer_pid *: (\d+)/.exec(text)?.[1] ?? 0) || undefined;
      });
      const left = () => segmentsOf([pid], readFileSync('/proc/sysvipc/shm', 'utf8'), true);
      expect(left()).toHaveLength(2);
      bot.end('SIGKILL');
      await bot.exited;
      await startedAgent(address, { workDir, isolation: 'none' }); // process ids are the engine's own
      expect(left()).toEqual([]);
    },
  );

  testWith(aflPlusPlus, 'says in its own words why it cannot fuzz a target', async () => {
    const master = await runMasterFor({ PANDAFUZZ_JOBS_MAX_ATTEMPTS: '1' });
    await startedAgent(master.address);
    const [job] = await submitJobs(master.connection, {
      targetPath: await buildProgram('reads.c', []),
      spec: { engine: 'aflplusplus' },
      count: 1,
    });
    const { result } = await jobIn(master.connection, given(job).id, JobState.DEAD);
    expect(result?.message).toMatch(/PROGRAM ABORT : No instrumentation detected/);
  });
});
