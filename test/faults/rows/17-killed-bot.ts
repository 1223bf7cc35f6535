import { join } from 'node:path';
import { connect } from '../../../src/client/connect.js';
import { messageOf } from '../../../src/core/errors.js';
import { JobLimits } from '../../../src/gen/pandafuzz/v1/job.js';
import { listCrashGroups } from '../../../src/operator/lists.js';
import { submitJobs } from '../../../src/operator/submit.js';
import { buildProgram, withAddressSanitizer } from '../../bot/programs/build.js';
import { Process } from '../../processes.js';
import { Chance } from '../load/chance.js';
import { pause, stopwatch } from '../load/times.js';
import { bugsIn } from '../means/bugs-on-disk.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';

const longestMs = 240_000;
const patienceMs = 60_000;

/** A real bot with a real fuzzer: its short form is test/integration/killed-bot.test.ts. */
export const killedBot: Row = {
  number: 17,
  fault: 'kill -9 of a real bot at random times, crashes and corpus in flight',
  promise: 'Nothing that was found is lost.',
  found: [],
  async run({ seed, isShort }) {
    const scene = await Scene.set(seed);
    await scene.start();
    let targetPath: string;
    try {
      targetPath = await buildProgram('letters.c', withAddressSanitizer);
    } catch (error) {
      return { operations: 0, fired: 0, violations: [], skipped: `no clang: ${messageOf(error)}` };
    }
    const chance = new Chance(seed, 'kills of bots');
    const connection = connect(scene.address);
    const workDir = join(scene.folder, 'bot');
    const spec = {
      engine: 'libfuzzer',
      limits: JobLimits.fromPartial({ maxDurationSeconds: 3600 }),
      // On a slow machine a lease ends before the next bot is there, which counts.
      maxAttempts: 100,
    };
    await submitJobs(connection, { targetPath, seedsPath: undefined, spec, count: 1 });
    const start = () => {
      const args = ['--master', scene.address, '--name', 'killed', '--work-dir', workDir];
      return new Process(['bot', ...args]);
    };
    const met = new Set<string>();
    const took = stopwatch();
    let kills = 0;
    while (kills < (isShort ? 2 : 200) && took() < longestMs) {
      const bot = start();
      const waited = stopwatch();
      while (!bot.said.includes('"msg":"job taken"') && waited() < patienceMs) await pause(20);
      await pause(chance.below(1500));
      bot.end('SIGKILL');
      await bot.exited;
      kills++;
      for (const bug of await bugsIn(workDir)) met.add(bug);
    }
    const last = start();
    const functions = async () =>
      (await listCrashGroups(connection, { limit: 100 })).map(({ topFrame }) => topFrame);
    const lost = async () => {
      const kept = new Set(await functions());
      return [...met].map((bug) => `bug_${bug}`).filter((name) => !kept.has(name));
    };
    const patience = stopwatch();
    while ((await lost()).length > 0 && patience() < patienceMs) await pause(500);
    const groups = await functions();
    const twice = groups.filter((name, index) => groups.indexOf(name) !== index);
    const violations = [
      ...(await lost()).map((name) => `lost: ${name}`),
      ...twice.map((name) => `two groups of ${name}`),
    ];
    last.end('SIGTERM');
    await last.exited;
    connection.close();
    await scene.stop();
    const database = scene.judge().filter(({ rule }) => rule === 'database' || rule === 'blobs');
    return {
      operations: scene.ask<number>('SELECT value FROM counters WHERE name = ?', 'crash_hits'),
      fired: met.size > 0 ? kills : 0,
      violations: [...violations, ...database.map(({ what }) => what)],
      figures: { 'bugs met': String(met.size) },
    };
  },
};
