import { watch } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { systemClock } from '../../src/core/clock.js';
import { JobLimits } from '../../src/gen/pandafuzz/v1/job.js';
import { listCrashes, listCrashGroups } from '../../src/operator/lists.js';
import { submitJobs } from '../../src/operator/submit.js';
import { buildProgram, withAddressSanitizer } from '../bot/programs/build.js';
import { bugsIn } from '../faults/means/bugs-on-disk.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { pause } from '../pause.js';
import { Process } from '../processes.js';

const cycles = Number(process.env['KILLS'] ?? 8);

/** The same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** An engine that has found everything changes nothing any more. */
const longestCycleMs = 20_000;

/** Resolves after so many changes below the folder. */
function changes(folder: string, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const watcher = watch(folder, { recursive: true }, () => {
      left -= 1;
      if (left === 0) end();
    });
    const longest = systemClock.schedule(longestCycleMs, end);
    function end() {
      longest.cancel();
      watcher.close();
      resolve();
    }
  });
}

test(`nothing found is lost by a bot that is killed ${cycles} times while crashes arrive`, async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
  const random = randomFrom(seed);
  const { address, connection } = await runMasterFor();
  const workDir = join(temporaryFolder(), 'bot');
  const targetPath = await buildProgram('letters.c', withAddressSanitizer);
  const limits = JobLimits.fromPartial({ maxDurationSeconds: 3600 });
  // On a slow machine a lease ends before the next bot is there, which counts.
  const spec = { engine: 'libfuzzer', limits, maxAttempts: 100 };
  const submission = { targetPath, seedsPath: undefined, spec, count: 1 };
  const [job] = await submitJobs(connection, submission);
  const jobId = job?.id ?? '';

  const start = () =>
    new Process(['bot', '--master', address, '--name', 'killed', '--work-dir', workDir]);
  const met = new Set<string>();
  // On a slow machine a bot is killed before its engine has met anything.
  for (let cycle = 0; cycle < cycles || met.size < 2; cycle++) {
    const bot = start();
    while (!/"msg":"job taken"/.test(bot.said)) {
      const { job } = await unary(connection.jobs, connection.jobs.getJob, { jobId });
      expect(job).toMatchObject({ finishedAt: undefined });
      await pause();
    }
    await changes(workDir, 1 + Math.floor(random() * 60));
    bot.end('SIGKILL');
    await bot.exited;
    for (const bug of await bugsIn(workDir)) met.add(bug);
  }

  const last = start();
  const everything = { groupId: '', jobId: '', limit: 1000 };
  const seen = async () => {
    const crashes = await listCrashes(connection, everything);
    const groups = await listCrashGroups(connection, { limit: 100 });
    return { crashes, functions: groups.map(({ topFrame }) => topFrame).sort() };
  };
  const wanted = [...met].map((bug) => `bug_${bug}`);
  for (;;) {
    const { functions } = await seen();
    if (wanted.every((name) => functions.includes(name))) break;
    if (last.said.includes('"msg":"bot stopped"')) break;
    await pause();
  }
  const { functions } = await seen();
  expect({ seed, twice: functions.filter((name, i) => functions.indexOf(name) !== i) }).toEqual({
    seed,
    twice: [],
  });
}, 600_000);
