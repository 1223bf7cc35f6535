import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { JobOutcome, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { listJobs } from '../../src/operator/lists.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { ScriptedBot } from '../scripted-bot.js';
import { createJob, registerBot, uploadTarget } from '../steps.js';
import { replay } from './replay.js';

const bots = 200;
const jobs = 2000;

/** Takes jobs until there are none left, and beats as fast as it is answered. */
async function work(connection: Connection, index: number, isOver: () => boolean) {
  const { id } = await registerBot(connection, `bot-${index}`);
  const bot = new ScriptedBot(connection, id);
  await bot.hello(1);
  const done: string[] = [];
  while (!isOver()) {
    if (bot.unheard('assign') === 0) {
      await bot.beat(1);
    } else {
      const lease = await bot.take();
      await bot.beat(0, [lease]);
      expect(await bot.done(lease, JobOutcome.COMPLETED)).toMatchObject({
        outcome: { $case: 'receipt', value: { state: JobState.COMPLETED, attempt: 1, fence: 1 } },
      });
      done.push(lease.jobId);
    }
  }
  bot.leave();
  return done;
}

test('load: 200 bots beat and claim as fast as they can, operators look on, and nothing is lost', async () => {
  const directory = temporaryFolder();
  const { connection, master } = await runMasterFor({}, directory);
  const { sha256: targetSha256 } = await uploadTarget(connection);
  let over = false;
  let completed = 0;
  const fleet = Array.from({ length: bots }, (_, i) => work(connection, i, () => over));
  const submitting = Array.from({ length: 10 }, async () => {
    for (let i = 0; i < jobs / 10; i++) await createJob(connection, { targetSha256 });
  });
  let pages = 0;
  const looking = (async () => {
    const { system } = connection;
    for (; completed < jobs; pages++) {
      const filter = { state: JobState.UNSPECIFIED, limit: 200 };
      expect((await listJobs(connection, filter)).length).toBeLessThanOrEqual(200);
      completed = (await unary(system, system.getSystemStats, {})).jobs?.completed ?? 0;
    }
    over = true;
  })();
  await Promise.all([...submitting, looking]);
  const worked = await Promise.all(fleet);
  const done = worked.flat();
  expect(done).toHaveLength(jobs);
  expect(new Set(done).size).toBe(jobs);
  expect(pages).toBeGreaterThan(10);
  await master.stop();

  const db = new Database(join(directory, 'pandafuzz.db'), { readonly: true });
  const counters = Object.fromEntries(
    db.prepare<[], [string, number]>('SELECT name, value FROM counters').raw().all(),
  );
  expect(counters).toMatchObject({ bots, 'jobs.completed': jobs, 'jobs.pending': 0 });
  // Those of the disk are no events.
  expect(counters).toMatchObject(replay(db));
  expect(db.prepare('SELECT count(*) FROM leases').pluck().get()).toBe(0);
  expect(db.prepare('SELECT count(*) FROM attempts').pluck().get()).toBe(jobs);
  db.close();
});
