import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { killEverything } from '../../src/bot/sandbox/sandbox.js';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { Isolation } from '../../src/gen/pandafuzz/v1/bot.js';
import { JobLimits, JobOutcome, JobState, Requirements } from '../../src/gen/pandafuzz/v1/job.js';
import { listBots, listCrashGroups } from '../../src/operator/lists.js';
import { submitJobs } from '../../src/operator/submit.js';
import { buildProgram, withAddressSanitizer } from '../bot/programs/build.js';
import { describeWhere, isRoot } from '../bot/sandbox/needs.js';
import { startedAgent } from '../bot/started-agent.js';
import { atEnd, runMasterFor, temporaryFolder } from '../harness.js';
import { Process } from '../processes.js';
import { eventually, given, jobIn } from '../steps.js';

/** Processes that go by this name; those that have ended have none. */
function namesakes(name: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(name);
    } catch {
      return false; // it has ended
    }
  });
}

async function submit(
  connection: Connection,
  targetPath: string,
  spec: { limits?: Partial<JobLimits>; requirements?: Partial<Requirements> } = {},
): Promise<string> {
  const [job] = await submitJobs(connection, {
    targetPath,
    spec: {
      engine: 'libfuzzer',
      maxAttempts: 1,
      limits: JobLimits.fromPartial({ maxDurationSeconds: 60, ...spec.limits }),
      requirements: Requirements.fromPartial(spec.requirements ?? {}),
    },
    count: 1,
  });
  return given(job).id;
}

const getJob = async ({ jobs }: Connection, jobId: string) =>
  given((await unary(jobs, jobs.getJob, { jobId })).job);

describe('a contained run', () => {
  test('has its leaks found, and leaves no process of its target', async () => {
    const { address, connection } = await runMasterFor();
    await startedAgent(address);
    const target = await buildProgram('daemon.c', withAddressSanitizer);
    const id = await submit(connection, target, {
      limits: { maxDurationSeconds: 600, maxCrashes: 1 },
    });
    await jobIn(connection, id, JobState.COMPLETED);
    const [group] = await listCrashGroups(connection, { limit: 10 });
    expect(group?.kind).toBe('memory-leak');
    expect(namesakes('pf-daemon')).toEqual([]);
  });

  test('that fills its folder ends its job with the reason', async () => {
    const { address, connection } = await runMasterFor();
    await startedAgent(address);
    const target = await buildProgram('fills.c', ['-fsanitize=fuzzer']);
    const id = await submit(connection, target, { limits: { maxDiskMib: 64 } });
    const job = await jobIn(connection, id, JobState.DEAD);
    expect(job.result?.outcome).toBe(JobOutcome.FAILED);
    expect(job.result?.message).toContain('more than 64 MiB');
  });

  test('waits for a bot at the level that its job requires', async () => {
    const { address, connection } = await runMasterFor();
    await startedAgent(address, { isolation: 'basic' });
    const target = await buildProgram('leaves.c', ['-fsanitize=fuzzer']);
    const spec = { requirements: { isolation: Isolation.NAMESPACES } };
    const id = await submit(connection, target, spec);
    const [bot] = await eventually(async () => {
      const bots = await listBots(connection, { limit: 1 });
      return bots.length > 0 ? bots : undefined;
    });
    expect(bot?.containment?.level).toBe(Isolation.BASIC);
    const reason = '1 of 1 bots online: the bot isolates runs at the level basic, not namespaces';
    await eventually(async () => {
      const { reasons } = await unary(connection.jobs, connection.jobs.explainJob, { jobId: id });
      return reasons.includes(reason) || undefined;
    });
    expect((await getJob(connection, id)).state).toBe(JobState.PENDING);
    await startedAgent(address, { name: 'better' });
    await eventually(async () => (await getJob(connection, id)).startedAt);
  });

  test('of a bot that is killed is gone with it, or with its next start', async () => {
    const { address, connection } = await runMasterFor();
    const work = join(temporaryFolder(), 'bot');
    const start = () =>
      new Process(['bot', '--master', address, '--name', 'killed', '--work-dir', work]);
    const bot = start();
    const target = await buildProgram('daemon.c', ['-fsanitize=fuzzer']);
    await submit(connection, target);
    await eventually(async () => namesakes('pf-daemon')[0]);
    bot.end('SIGKILL');
    await bot.exited;
    const again = start();
    await eventually(async () => again.said.includes('bot started') || undefined);
    expect(namesakes('pf-daemon')).toEqual([]);
    again.end('SIGKILL');
    await again.exited;
  });
});

describeWhere(isRoot, 'a bot on a full disk: mounting a small tmpfs needs root')('a bot', () => {
  test('starts with a full disk, says so, and works as soon as there is room', async () => {
    const { address, connection } = await runMasterFor();
    const disk = temporaryFolder();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'pandafuzz-test', disk]);
    atEnd(() => {
      killEverything();
      execFileSync('umount', ['-l', disk]);
    });
    const filler = join(disk, 'filler');
    let sizeBytes = 0;
    for (let stepBytes = 2 ** 20; stepBytes >= 1; ) {
      try {
        writeFileSync(filler, Buffer.alloc(stepBytes), { flag: 'a' });
        sizeBytes += stepBytes;
      } catch {
        stepBytes = Math.floor(stepBytes / 2);
      }
    }
    expect(sizeBytes).toBeGreaterThan(40 * 2 ** 20);
    await startedAgent(address, { workDir: join(disk, 'bot') });
    const target = await buildProgram('leaves.c', ['-fsanitize=fuzzer']);
    const id = await submit(connection, target);
    await eventually(async () => (await listBots(connection, { limit: 1 }))[0]?.lastSeenAt);
    expect((await getJob(connection, id)).state).toBe(JobState.PENDING);
    rmSync(filler);
    await eventually(async () => (await getJob(connection, id)).startedAt);
  });
});
