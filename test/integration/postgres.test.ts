import { status as Code } from '@grpc/grpc-js';
import { beforeAll, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { JobOutcome, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { listJobs } from '../../src/operator/lists.js';
import { shared, temporaryFolder } from '../endings.js';
import { pause } from '../pause.js';
import { databaseOf, ownServer } from '../postgres/databases.js';
import { type PostgresServer, sqlAt } from '../postgres/server.js';
import { Process, place, reach } from '../processes.js';
import { ScriptedBot } from '../scripted-bot.js';
import {
  createJob,
  createJobs,
  eventually,
  given,
  jobIn,
  registerBot,
  uploadTarget,
} from '../steps.js';

/** A whole master on PostgreSQL, and what happens to it. */

let server: PostgresServer;
beforeAll(async () => {
  server = await shared(ownServer);
});

async function placeOnPostgres() {
  const { address, environment } = await place();
  const url = await databaseOf(temporaryFolder(), server.adminUrl);
  const settings = { PANDAFUZZ_DATABASE_URL: url, PANDAFUZZ_LEASES_TTL: '10m' };
  return { address, url, environment: { ...environment, ...settings } };
}

const everything = { state: JobState.UNSPECIFIED, limit: 10_000 };

/** A master, a job that runs, and its bot. */
async function masterAtWork() {
  const { address, environment } = await placeOnPostgres();
  const master = new Process(['master'], environment);
  const connection = await reach(address);
  const { sha256: targetSha256 } = await uploadTarget(connection);
  const { id: botId } = await registerBot(connection);
  const bot = new ScriptedBot(connection, botId);
  await bot.hello(1);
  const job = await createJob(connection, { targetSha256 });
  const lease = await bot.take();
  await jobIn(connection, job.id, JobState.RUNNING);
  return { master, address, environment, connection, targetSha256, botId, bot, job, lease };
}

test('a master that is killed has all it acknowledged, and its bot keeps its run', async () => {
  const at = await masterAtWork();
  const { master, connection, targetSha256, job: running, lease } = at;
  const { acknowledged, stopped } = createJobs(connection, targetSha256);
  while (acknowledged.length < 100) await pause();
  master.end('SIGKILL');
  await stopped;

  new Process(['master'], at.environment);
  const after = await reach(at.address);
  const kept = new Set((await listJobs(after, everything)).map((job) => job.id));
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  const again = new ScriptedBot(after, at.botId);
  const { leases } = await again.hello(0, [lease]);
  expect(leases).toMatchObject([{ keep: true }]);
  const { outcome } = await again.done(lease, JobOutcome.COMPLETED);
  expect(outcome?.$case).toBe('receipt');
  await jobIn(after, running.id, JobState.COMPLETED);
});

test('while PostgreSQL stands still calls end by their deadlines and streams stay; then it heals', async () => {
  const { connection, bot, job, lease } = await masterAtWork();

  await server.freeze();
  const { jobs } = connection;
  const read = unary(jobs, jobs.getJob, { jobId: job.id }, { timeoutMs: 500 });
  await expect(read).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED });
  const beat = await bot.beat(0, [lease]);
  expect(given(beat.leases[0]).remainingTtlMs).toBeGreaterThan(0);
  server.thaw();

  const { outcome } = await bot.done(lease, JobOutcome.COMPLETED);
  expect(outcome?.$case).toBe('receipt');
  await jobIn(connection, job.id, JobState.COMPLETED);
});

test('a PostgreSQL that ends makes calls UNAVAILABLE; streams stay, and it heals', async () => {
  const { connection, targetSha256, bot, job, lease } = await masterAtWork();

  const { acknowledged, stopped } = createJobs(connection, targetSha256);
  while (acknowledged.length < 50) await pause();
  await server.end('SIGQUIT');
  const ended = await stopped;
  for (const one of ended) {
    const { reason } = one as PromiseRejectedResult;
    expect([Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED]).toContain(reason.code);
  }
  const beat = await bot.beat(0, [lease]);
  expect(given(beat.leases[0]).remainingTtlMs).toBeGreaterThan(0);
  await server.run();

  const more = await eventually(() =>
    createJob(connection, { targetSha256 }).catch(() => undefined),
  );
  const kept = new Set((await listJobs(connection, everything)).map((one) => one.id));
  expect([...acknowledged, more.id].filter((id) => !kept.has(id))).toEqual([]);
  const { outcome } = await bot.done(lease, JobOutcome.COMPLETED);
  expect(outcome?.$case).toBe('receipt');
  await jobIn(connection, job.id, JobState.COMPLETED);
});

test('sessions that are cut in the middle of writes cost nothing that was acknowledged', async () => {
  const { address, environment, url } = await placeOnPostgres();
  new Process(['master'], environment);
  const connection = await reach(address);
  const { sha256: targetSha256 } = await uploadTarget(connection);
  const acknowledged: string[] = [];
  let cuts = 0;
  const callers = Array.from({ length: 8 }, async () => {
    while (cuts < 3) {
      const made = await createJob(connection, { targetSha256 }).catch(() => undefined);
      if (made) acknowledged.push(made.id);
    }
  });
  for (let target = 20; cuts < 3; target = acknowledged.length + 20) {
    while (acknowledged.length < target) await pause();
    await sqlAt(
      url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'pandafuzz%'`,
    );
    cuts++;
  }
  await Promise.all(callers);
  const kept = new Set((await listJobs(connection, everything)).map((job) => job.id));
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
});
