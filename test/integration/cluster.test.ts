import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { BotState } from '../../src/gen/pandafuzz/v1/bot.js';
import { JobOutcome, JobSpec, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { listJobs } from '../../src/operator/lists.js';
import { submitJobs } from '../../src/operator/submit.js';
import { startedAgent } from '../bot/started-agent.js';
import { shared, temporaryFolder } from '../endings.js';
import { pause } from '../pause.js';
import { databaseOf, ownServer } from '../postgres/databases.js';
import type { PostgresServer } from '../postgres/server.js';
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

/** Masters that share one database, as processes, and what happens to them. */

let server: PostgresServer;
beforeAll(async () => {
  server = await shared(ownServer);
});

const emptyDatabase = () => databaseOf(temporaryFolder(), server.adminUrl);

/** Where a master of the cluster runs: leases are long, so that only what a test is about ends one. */
async function memberPlace(url: string, more: Record<string, string> = {}) {
  const { address, environment } = await place();
  const own = {
    ...environment,
    PANDAFUZZ_DATABASE_URL: url,
    PANDAFUZZ_CLUSTER_ADDRESS: address,
    PANDAFUZZ_CLUSTER_TTL: '2s',
    PANDAFUZZ_CLUSTER_ALLOW_LOST_WRITES: 'true',
    PANDAFUZZ_LEASES_TTL: '10m',
    ...more,
  };
  return { address, environment: own };
}

async function memberOf(url: string, more: Record<string, string> = {}, blobs?: string) {
  const { address, environment } = await memberPlace(url, more);
  const data = environment.PANDAFUZZ_DATA_DIRECTORY;
  if (blobs) {
    mkdirSync(data);
    symlinkSync(blobs, join(data, 'blobs'));
  }
  const master = new Process(['master'], environment);
  return { master, address, environment, connection: await reach(address) };
}

async function twoMasters(more: Record<string, string> = {}) {
  const url = await emptyDatabase();
  const a = await memberOf(url, more);
  const b = await memberOf(url, more);
  const { sha256: targetSha256 } = await uploadTarget(a.connection);
  return { url, a, b, targetSha256 };
}

/** A bot at a master, and a job that it runs. */
async function botAtWork({ connection }: { connection: Connection }, targetSha256: string) {
  const { id: botId } = await registerBot(connection);
  const bot = new ScriptedBot(connection, botId);
  await bot.hello(1);
  const job = await createJob(connection, { targetSha256 });
  const lease = await bot.take();
  await jobIn(connection, job.id, JobState.RUNNING);
  return { bot, botId, job, lease };
}

const getJob = ({ jobs }: Connection, jobId: string) => unary(jobs, jobs.getJob, { jobId });

const everything = { state: JobState.UNSPECIFIED, limit: 10_000 };

describe('a master of two', () => {
  test('is killed: its bot goes on at the other one, nothing runs twice, nothing is lost', async () => {
    const { a, b, targetSha256 } = await twoMasters();
    const { botId, job, lease } = await botAtWork(a, targetSha256);
    const made = [createJobs(a.connection, targetSha256), createJobs(b.connection, targetSha256)];
    while (made.some(({ acknowledged }) => acknowledged.length < 50)) await pause();
    a.master.end('SIGKILL');
    await made[0]?.stopped;

    const again = new ScriptedBot(b.connection, botId);
    const { leases } = await again.hello(0, [lease]);
    expect(leases).toMatchObject([{ keep: true }]);
    const { outcome } = await again.done(lease, JobOutcome.COMPLETED);
    expect(outcome?.$case).toBe('receipt');
    expect((await getJob(b.connection, job.id)).attempts).toHaveLength(1);
    b.connection.close();
    await made[1]?.stopped;
    const after = await reach(b.address);
    const kept = new Set((await listJobs(after, everything)).map(({ id }) => id));
    const acknowledged = made.flatMap((one) => one.acknowledged);
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  });

  test('is killed, and a bot of it never comes: the other one gives its job away', async () => {
    const { a, b, targetSha256 } = await twoMasters({ PANDAFUZZ_LEASES_TTL: '2s' });
    const { job, lease } = await botAtWork(a, targetSha256);
    const { id } = await registerBot(b.connection, 'other');
    const other = new ScriptedBot(b.connection, id);
    await other.hello(1);
    a.master.end('SIGKILL');
    let next: Lease | undefined;
    const taking = other.take().then((taken) => {
      next = taken;
    });
    // It stays: a bot that says nothing for some TTLs loses its stream.
    await eventually(async () => {
      await other.beat(1);
      return next;
    });
    await taking;
    expect(next).toMatchObject({ jobId: job.id });
    expect(given(next).fence).toBeGreaterThan(lease.fence);
  });

  test('stands still until it is declared dead: it gives up what the other one has by then', async () => {
    const { a, b, targetSha256 } = await twoMasters();
    const { botId, job, lease } = await botAtWork(a, targetSha256);
    process.kill(a.master.pid, 'SIGSTOP');
    await b.master.says('master gone');
    const again = new ScriptedBot(b.connection, botId);
    expect((await again.hello(0, [lease])).leases).toMatchObject([{ keep: true }]);
    process.kill(a.master.pid, 'SIGCONT');
    await a.master.says('joined the cluster again');

    const { leases } = await again.beat(0, [lease]);
    expect(given(leases[0]).remainingTtlMs).toBeGreaterThan(0);
    const { outcome } = await again.done(lease, JobOutcome.COMPLETED);
    expect(outcome?.$case).toBe('receipt');
    const { attempts } = await getJob(a.connection, job.id);
    expect(attempts).toHaveLength(1);
    // It is a master as before.
    const more = await createJob(a.connection, { targetSha256 });
    const { id } = await registerBot(a.connection, 'third');
    const third = new ScriptedBot(a.connection, id);
    await third.hello(1);
    expect(await third.take()).toMatchObject({ jobId: more.id });
  });
});

/** A bundle with an engine that does no more than count for as long as it may. */
function countingBundle(): string {
  const bundle = temporaryFolder();
  const engine = `#!/bin/sh
[ "$1" = fuzz ] || exit 0
trap 'exit 0' TERM
ends=$(($(date +%s) + PANDAFUZZ_SECONDS))
runs=0
while [ "$(date +%s)" -lt "$ends" ]; do
  runs=$((runs + 1))
  echo "pandafuzz: executions=$runs coverage=1"
  timeout 0.1 tail -f /dev/null
done
`;
  writeFileSync(join(bundle, 'engine.sh'), engine, { mode: 0o755 });
  return bundle;
}

test('a real bot whose master is killed goes to the next address, and its run goes on', async () => {
  const url = await emptyDatabase();
  // Until blobs can be shared: the target has to be at both.
  const blobs = temporaryFolder();
  const [a, b] = [await memberOf(url, {}, blobs), await memberOf(url, {}, blobs)];
  const hasBot = ({ master }: typeof a) => master.said.includes('bot connected') || undefined;
  await startedAgent(`${a.address},${b.address}`);
  const [own, other] = await eventually(async () => {
    if (hasBot(a)) return [a, b] as const;
    return hasBot(b) && ([b, a] as const);
  });
  const [job] = await submitJobs(own.connection, {
    target: { bundle: countingBundle(), executable: 'engine.sh' },
    seeds: [],
    isChecked: true,
    spec: JobSpec.fromPartial({ engine: 'command', limits: { maxDurationSeconds: 5 } }),
    count: 1,
  });
  const { id } = given(job);
  await jobIn(own.connection, id, JobState.RUNNING);
  own.master.end('SIGKILL');
  await other.master.says('bot connected');
  await jobIn(other.connection, id, JobState.COMPLETED);
  expect((await getJob(other.connection, id)).attempts).toHaveLength(1);
});

describe('through any master', () => {
  let masters: Awaited<ReturnType<typeof twoMasters>>;
  beforeAll(async () => {
    masters = await shared(twoMasters);
  });

  test('work, stops, drains and deletions reach the bot; events and figures come from it', async () => {
    const { a, b, targetSha256 } = masters;
    const { id: botId } = await registerBot(a.connection, 'first');
    const bot = new ScriptedBot(a.connection, botId);
    await bot.hello(1);
    const { jobs, bots, system } = b.connection;
    const events = jobs.watchJobs({ cursor: 0, jobId: '' });
    const kinds: string[] = [];
    events.on('data', ({ kind }: { kind: string }) => kinds.push(kind));
    events.on('error', () => {});
    await eventually(async () => (kinds.length > 0 ? true : undefined));

    const job = await createJob(b.connection, { targetSha256 });
    const lease = await bot.take();
    expect(lease.jobId).toBe(job.id);
    await jobIn(b.connection, job.id, JobState.RUNNING);
    await unary(jobs, jobs.cancelJob, { jobId: job.id });
    expect((await bot.hear('cancel')).lease).toEqual(lease);
    await bot.done(lease, JobOutcome.CANCELLED);
    await jobIn(b.connection, job.id, JobState.CANCELLED);
    await eventually(async () => (kinds.includes('job.cancelled') ? true : undefined));
    events.cancel();
    expect(kinds).toEqual(expect.arrayContaining(['job.created', 'job.assigned', 'job.running']));

    const seen = given((await unary(bots, bots.getBot, { botId })).bot);
    expect(seen.state).toBe(BotState.ONLINE);
    await eventually(async () => {
      const { botsOnline } = await unary(system, system.getSystemStats, {});
      return botsOnline === 1 ? true : undefined;
    });
    await unary(bots, bots.drainBot, { botId });
    await bot.hear('drain');
    await unary(bots, bots.resumeBot, { botId });
    await bot.hear('resume');
  });

  test('a bot that moves takes its lease with it, and its former master forgets it', async () => {
    const { a, b, targetSha256 } = masters;
    const { bot, botId, lease } = await botAtWork(a, targetSha256);
    const moved = new ScriptedBot(b.connection, botId);
    expect((await moved.hello(0, [lease])).leases).toMatchObject([{ keep: true }]);
    await bot.ended; // replaced
    const { leases } = await moved.beat(0, [lease]);
    expect(given(leases[0]).remainingTtlMs).toBeGreaterThan(0);
    const { outcome } = await moved.done(lease, JobOutcome.COMPLETED);
    expect(outcome?.$case).toBe('receipt');
  });
});
