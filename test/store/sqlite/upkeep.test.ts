import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { unary } from '../../../src/client/call.js';
import { downloadBackup } from '../../../src/client/transfer.js';
import { silentLog } from '../../../src/core/log.js';
import { executeWithRetry } from '../../../src/core/retry.js';
import { JobState } from '../../../src/gen/pandafuzz/v1/job.js';
import { createMetrics } from '../../../src/metrics.js';
import { listJobs as everyJob } from '../../../src/operator/lists.js';
import { Sessions } from '../../../src/state/bots/sessions.js';
import { Retention } from '../../../src/state/upkeep/retention.js';
import { Lane } from '../../../src/store/lane.js';
import { registerBot } from '../../../src/store/ops/bots/register-bot.js';
import { recordCrash } from '../../../src/store/ops/crashes/record-crash.js';
import { completeJob } from '../../../src/store/ops/jobs/complete-job.js';
import { createJob } from '../../../src/store/ops/jobs/create-job.js';
import { listJobs } from '../../../src/store/ops/jobs/list-jobs.js';
import { claimJob } from '../../../src/store/ops/scheduling/claim-job.js';
import { readCounters } from '../../../src/store/ops/upkeep/read-counters.js';
import type { CheckpointMode } from '../../../src/store/sqlite/checkpoint.js';
import { Checkpoints, walBytes } from '../../../src/store/sqlite/checkpoints.js';
import { isRetryableError } from '../../../src/store/sqlite/faults.js';
import { DatabaseThread } from '../../../src/store/sqlite/thread.js';
import type { Store } from '../../../src/store/store.js';
import { atEnd, openStore, runMasterFor, temporaryFolder, testContext } from '../../harness.js';
import { pause } from '../../pause.js';
import { given, createJob as submitJob, uploadTarget } from '../../steps.js';
import { VirtualClock } from '../../virtual-clock.js';
import {
  botInput,
  claimInput,
  completeInput,
  crashInput,
  jobInput,
  withBot,
  withTarget,
} from '../inputs.js';

async function withBotAndTarget(store: Store): Promise<string> {
  await withTarget(store);
  return withBot(store);
}

/** A job that ended at `now`, with a crash or without. */
async function endedJob(store: Store, botId: string, now: number, crashed: boolean) {
  const ctx = testContext();
  const job = jobInput({ now });
  await store.run(ctx, createJob, job);
  const lease = await store.run(ctx, claimJob, { ...claimInput(botId), now });
  if (!lease) throw new Error('nothing to claim');
  if (crashed) await store.run(ctx, recordCrash, { ...crashInput(lease, '1'), now });
  await store.run(ctx, completeJob, { ...completeInput(lease), now });
  return job.id;
}

describe('retention', () => {
  test('forgets what is too old in slices, keeps jobs with crashes, and keeps count', async () => {
    const store = await openStore();
    const botId = await withBotAndTarget(store);
    const clock = new VirtualClock();
    const old = clock.now() - 100 * 86_400_000;
    for (let i = 0; i < 250; i++) await endedJob(store, botId, old + i, false);
    const crashed = await endedJob(store, botId, old, true);
    const fresh = await endedJob(store, botId, clock.now() - 1000, false);

    const day = 86_400_000;
    const ages = {
      jobs: 90 * day,
      events: 30 * day,
      samples: 14 * day,
      bots: day,
      sweep_interval: day,
    };
    const inBackground = <T>(
      _: string,
      work: (ctx: ReturnType<typeof testContext>) => Promise<T>,
    ) => work(testContext());
    await new Retention({
      store,
      sessions: new Sessions(),
      clock,
      log: silentLog,
      inBackground,
      ages,
    }).sweep();

    const kept = await store.run(testContext(), listJobs, { beforeId: 'g', limit: 1000 });
    expect(kept.map(({ id }) => id)).toEqual([fresh, crashed]);
    const counters = await store.run(testContext(), readCounters, null);
    expect(counters).toMatchObject({
      'jobs.completed': 2,
      'jobs.pending': 0,
      crash_inputs_kept: 1,
    });
  });
});

describe('checkpoints', () => {
  test('have the log start over again and again while there are writes, and empty it once there are none', async () => {
    const directory = temporaryFolder();
    const store = await openStore({
      directory,
      checkpointIntervalMs: 10,
      maxLogBytes: 16 * 2 ** 20,
    });
    const botId = await withBotAndTarget(store);
    const log = join(directory, 'pandafuzz.db-wal');
    /** Of the log as it lies there: counted up each time it starts over (sqlite.org/walformat.html). */
    const sequence = () => {
      const [file, bytes] = [openSync(log, 'r'), Buffer.alloc(4)];
      readSync(file, bytes, 0, 4, 12);
      closeSync(file);
      return bytes.readUInt32BE();
    };
    const seen = new Set<number>();
    let jobs = 0;
    // Some 1000 jobs bring that about; left to itself beside eight writers, it takes 7000.
    const writing = Array.from({ length: 8 }, async () => {
      while (jobs < 5000 && seen.size < 4) {
        await endedJob(store, botId, ++jobs, false);
        seen.add(sequence());
      }
    });
    await Promise.all(writing);
    expect(seen.size).toBeGreaterThanOrEqual(4);
    while (statSync(log).size > 0) await pause();
    const counters = await store.run(testContext(), readCounters, null);
    expect(counters).toMatchObject({ 'jobs.completed': jobs });
  });
});

describe('a checkpoint that the disk is slow at', () => {
  test('has writes wait for it once the log is large, and no longer than it takes', async () => {
    const path = join(temporaryFolder(), 'pandafuzz.db');
    const start = (access: 'write' | 'upkeep' | 'read') =>
      DatabaseThread.start({ path, access, synchronous: 'normal' }, access, (error) => {
        throw error;
      });
    const writes = new Lane([await start('write')], { maxQueued: 1, groupSize: 1 });
    atEnd(() => writes.close());
    const reads = new Lane([await start('read')], { maxQueued: 1, groupSize: 1 });
    atEnd(() => reads.close());
    const upkeep = await start('upkeep');
    const disk = Promise.withResolvers<void>();
    const slow = {
      checkpoint: (mode: CheckpointMode) => disk.promise.then(() => upkeep.checkpoint(mode)),
      close: () => upkeep.close(),
    };
    const told = Promise.withResolvers<string>();
    const log = pino({ level: 'warn' }, { write: told.resolve });
    const options = { intervalMs: 5, maxLogBytes: 2 ** 20, logBytes: () => walBytes(path) };
    const parts = { thread: slow, writes, metrics: createMetrics(), log };
    const checkpoints = new Checkpoints({ ...parts, ...options });
    atEnd(() => checkpoints.stop());
    atEnd(() => disk.resolve());

    const patient = { maxRetries: 1000, firstDelayMs: 1, maxDelayMs: 10, multiplier: 2 };
    const locked = { operation: registerBot.name, isRetryable: isRetryableError };
    let written = 0;
    const writing = (async () => {
      for (; written < 2000; written++) {
        const input = { ...botInput(`bot ${written}`), labels: { padding: 'x'.repeat(4096) } };
        const call = { operation: registerBot.name, input };
        const write = () => writes.run(testContext(), call, registerBot);
        // As the store does it: a checkpoint of a log that is thought idle holds the lock.
        await executeWithRetry(testContext(), patient, write, locked);
        checkpoints.wrote();
      }
    })();
    checkpoints.start();
    expect(await Promise.race([told.promise, writing])).toMatch(/writes wait for the disk/);
    const readOften = async () => {
      const call = { operation: readCounters.name, input: null };
      for (let i = 0; i < 200; i++) await reads.run(testContext(), call, readCounters);
    };
    await readOften();
    const before = written;
    await readOften(); // while not one write is answered
    expect(written).toBe(before);
    expect(written).toBeLessThan(2000);
    expect(await walBytes(path)).toBeLessThan(8 * 2 ** 20);
    disk.resolve();
    await writing;
  });
});

/** The process that makes a copy for this one. */
function backupProcess(): number {
  const children = readdirSync('/proc/self/task').flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  );
  const isBackup = (pid: string) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('backup-process');
  return Number(given(children.find(isBackup)));
}

describe('a backup', () => {
  test('is consistent and whole, while writes go on that do not wait for it', async () => {
    const directory = temporaryFolder();
    const { connection } = await runMasterFor({}, directory);
    const { sha256: targetSha256 } = await uploadTarget(connection);
    const environment = { PADDING: 'x'.repeat(4000) };
    const submit = () => submitJob(connection, { targetSha256, environment });
    await Promise.all(Array.from({ length: 200 }, submit));
    let over = false;
    const writing = (async () => {
      while (!over) await submit();
    })();
    const path = join(temporaryFolder(), 'copy.db');
    const incoming = join(directory, 'blobs', 'incoming');
    const watcher = watch(incoming);
    atEnd(() => watcher.close());
    const begun = once(watcher, 'change');
    const copying = downloadBackup(connection, path);
    const [, name] = await begun;
    // In the midst of the copy, its process stands still, and writes do not.
    const pid = backupProcess();
    process.kill(pid, 'SIGSTOP');
    for (let i = 0; i < 20; i++) await submit();
    const { size: soFar } = statSync(join(incoming, name));
    process.kill(pid, 'SIGCONT');
    const copy = await copying;
    over = true;
    await writing;
    expect(statSync(path).size).toBe(copy.sizeBytes);
    expect(soFar).toBeLessThan(copy.sizeBytes);

    const db = new Database(path, { readonly: true });
    const count = (sql: string) => db.prepare(sql).pluck().get() as number;
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(count('SELECT count(*) FROM jobs')).toBeGreaterThanOrEqual(200);
    expect(count('SELECT count(*) FROM jobs')).toBe(
      count("SELECT value FROM counters WHERE name = 'jobs.pending'"),
    );
    db.close();
    expect(readdirSync(incoming)).toEqual([]);
  });

  test('can be started from', async () => {
    const { connection } = await runMasterFor();
    const { id } = await submitJob(connection);
    const directory = temporaryFolder();
    await downloadBackup(connection, join(directory, 'pandafuzz.db'));
    const restored = await runMasterFor({}, directory);
    const filter = { state: JobState.UNSPECIFIED, limit: 10 };
    expect((await everyJob(restored.connection, filter)).map((job) => job.id)).toEqual([id]);
    const { system } = restored.connection;
    expect((await unary(system, system.getSystemStats, {})).jobs?.pending).toBe(1);
  });
});
