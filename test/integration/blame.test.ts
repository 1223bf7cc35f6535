import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { nodeFlags } from '../../src/cli/node-flags.js';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import type { Bot } from '../../src/gen/pandafuzz/v1/bot.js';
import { type Job, JobLimits, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { listBots } from '../../src/operator/lists.js';
import { submitJobs } from '../../src/operator/submit.js';
import { noexecFolder } from '../bot/noexec.js';
import { atEnd } from '../harness.js';
import { Process, place, reach } from '../processes.js';
import { eventually, given } from '../steps.js';

/** Ten short jobs beside a bad bot: real bots, a real libFuzzer, a real noexec mount. */

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

const jobOf = async ({ jobs }: Connection, jobId: string): Promise<Job> =>
  given((await unary(jobs, jobs.getJob, { jobId })).job);

const botNamed = async (connection: Connection, name: string): Promise<Bot | undefined> =>
  (await listBots(connection, { limit: 10 })).find((bot) => bot.name === name);

const explained = async ({ bots }: Connection, botId: string): Promise<readonly string[]> =>
  (await unary(bots, bots.explainBot, { botId })).reasons;

/** A fuzzer with a library of its own, in a folder that its rpath names. */
function fuzzerWithLibrary(folder: string): { target: string; libraries: string } {
  const libraries = join(folder, 'libraries');
  mkdirSync(libraries);
  writeFileSync(join(folder, 'needed.c'), 'int needed(void) { return 0; }');
  execFileSync('clang', [
    ...['-shared', '-fPIC', join(folder, 'needed.c'), '-o', join(libraries, 'libneeded.so')],
  ]);
  const source = `int needed(void);
    int LLVMFuzzerTestOneInput(const char *data, unsigned long size) { return needed(); }`;
  writeFileSync(join(folder, 'fuzzer.c'), source);
  const target = join(folder, 'fuzzer');
  execFileSync('clang', [
    ...['-fsanitize=fuzzer', join(folder, 'fuzzer.c'), '-o', target],
    ...[`-L${libraries}`, '-lneeded', `-Wl,-rpath,${libraries}`],
  ]);
  return { target, libraries };
}

const botArguments = (address: string, name: string, workDir: string) => [
  ...['bot', '--master', address, '--name', name, '--work-dir', workDir, '--slots', '2'],
  ...['--isolation', 'none'], // its library lies where a run would not see it
];

/** A bot that does not see what is in this folder; undefined where that cannot be done. */
function botWithout(hidden: string, args: readonly string[]): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', hidden], { stdio: 'ignore' });
  } catch {
    console.warn('not tested: a bot without a library, as this user may not mount a tmpfs');
    return false;
  }
  const script = 'mount -t tmpfs none "$0" && exec "$@"';
  const command = [process.execPath, ...nodeFlags, main, ...args];
  const child = spawn('unshare', ['-m', 'sh', '-c', script, hidden, ...command], {
    stdio: 'ignore',
  });
  const exited = new Promise((resolve) => child.once('close', resolve));
  atEnd(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return true;
}

async function tenJobs(connection: Connection, targetPath: string): Promise<string[]> {
  const limits = JobLimits.create({ maxDurationSeconds: 1 });
  const spec = { engine: 'libfuzzer', limits, maxAttempts: 1 };
  const jobs = await submitJobs(connection, { targetPath, spec, count: 10 });
  return jobs.map(({ id }) => id);
}

async function allCompleted(connection: Connection, ids: readonly string[]): Promise<Job[]> {
  return eventually(async () => {
    const jobs = await Promise.all(ids.map((id) => jobOf(connection, id)));
    return jobs.every((job) => job.finishedAt) ? jobs : undefined;
  });
}

describe('ten short jobs beside a bad bot all complete on the good one', () => {
  test('when it works in a folder mounted noexec, and says so', async () => {
    const noexec = noexecFolder();
    if (noexec === undefined) return;
    const { address, directory, environment } = await place();
    new Process(['master'], environment);
    const connection = await reach(address);
    const { target } = fuzzerWithLibrary(directory);
    new Process(botArguments(address, 'bad', join(noexec, 'work')));
    const bad = await eventually(async () => {
      const bot = await botNamed(connection, 'bad');
      return bot?.health?.problem ? bot : undefined;
    });
    expect(bad.health?.problem).toMatch(/^no program can be run in .*: mount it without "noexec"/);
    const ids = await tenJobs(connection, target);
    new Process(botArguments(address, 'good', join(directory, 'work')));
    const jobs = await allCompleted(connection, ids);
    for (const job of jobs) {
      expect(job).toMatchObject({ state: JobState.COMPLETED, failedAttempts: 0 });
      expect(job.statistics?.executions).toBeGreaterThan(0);
      expect(job.botId).not.toBe(bad.id);
    }
    expect((await explained(connection, bad.id))[0]).toMatch(/^it takes no jobs until it is well/);
  });

  test('when it lacks a library, and is held back', async () => {
    const { address, directory, environment } = await place();
    new Process(['master'], environment);
    const connection = await reach(address);
    const { target, libraries } = fuzzerWithLibrary(directory);
    if (!botWithout(libraries, botArguments(address, 'bad', join(directory, 'bad')))) return;
    const bad = await eventually(() => botNamed(connection, 'bad'));
    const ids = await tenJobs(connection, target);
    const held = await eventually(async () => {
      const bot = await botNamed(connection, 'bad');
      return bot && bot.failedStarts > 0 ? bot : undefined;
    });
    expect(held.heldWhy).toMatch(/library libneeded\.so is missing here/);
    new Process(botArguments(address, 'good', join(directory, 'good')));
    const jobs = await allCompleted(connection, ids);
    for (const job of jobs) {
      expect(job).toMatchObject({ state: JobState.COMPLETED, failedAttempts: 0 });
      expect(job.statistics?.executions).toBeGreaterThan(0);
      expect(job.botId).not.toBe(bad.id);
    }
    expect(jobs.some(({ lostAttempts }) => lostAttempts > 0)).toBe(true);
    expect((await explained(connection, bad.id))[0]).toMatch(
      /library libneeded\.so is missing here/,
    );
  });
});
