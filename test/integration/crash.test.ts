import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { replay } from '../../examples/demo/replay.js';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { listCrashGroups } from '../../src/operator/lists.js';
import { downloadReproducer } from '../../src/operator/reproducer.js';
import { submitJobs } from '../../src/operator/submit.js';
import { buildDemoTarget, Process, place, reach } from '../processes.js';
import { eventually, given } from '../steps.js';

const job = async ({ jobs }: Connection, jobId: string) =>
  given((await unary(jobs, jobs.getJob, { jobId })).job);

/** Processes whose program lies in this folder. */
function runningFrom(folder: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/exe`).startsWith(folder);
    } catch {
      return false; // it has ended, or is the kernel's
    }
  });
}

test('a crash is found, kept, shown and proven, through a master that was killed; a cancelled fuzzer is gone', async () => {
  const { address, directory, environment } = await place();
  const target = await buildDemoTarget(directory);
  const first = new Process(['master'], environment);
  const connection = await reach(address);
  const work = join(directory, 'bot');
  const bot = new Process([
    'bot',
    '--master',
    address,
    '--name',
    'bot',
    '--work-dir',
    work,
    '--slots',
    '1',
  ]);

  const spec = { engine: 'libfuzzer', name: 'end to end' };
  const submission = { targetPath: target, seedsPath: 'examples/demo/seeds', spec, count: 1 };
  const [submitted] = await submitJobs(connection, submission);
  const { id } = given(submitted);
  await eventually(async () => (await job(connection, id)).startedAt);
  // Killed before, it would be missed while the bot still downloads the target.
  await eventually(async () => runningFrom(work)[0]);

  first.end('SIGKILL');
  await first.exited;
  new Process(['master'], environment);
  await reach(address);

  const group = await eventually(async () => (await listCrashGroups(connection, { limit: 1 }))[0]);
  const copy = join(directory, 'reproducer');
  await downloadReproducer(connection, group.firstCrashId, { path: copy, replace: false });
  expect(await replay(target, copy, group)).toEqual({
    same: true,
    saw: `${group.kind} in ${group.topFrame}`,
  });

  const live = await eventually(async () => {
    const { statistics, state, fence } = await job(connection, id);
    return (statistics?.executions ?? 0) > 0 ? { state, fence } : undefined;
  });
  expect(live).toEqual({ state: JobState.RUNNING, fence: 1 }); // the same lease as before the kill

  // Between two runs of the engine there is none for a moment.
  await eventually(async () => runningFrom(work)[0]);
  await unary(connection.jobs, connection.jobs.cancelJob, { jobId: id });
  const cancelled = await eventually(async () => {
    const now = await job(connection, id);
    return now.finishedAt && now;
  });
  expect(cancelled).toMatchObject({
    state: JobState.CANCELLED,
    cancelRequestedAt: expect.any(Date),
    cancelAcknowledgedAt: expect.any(Date),
  });
  expect(runningFrom(work)).toEqual([]);

  bot.end('SIGTERM');
  expect(await bot.exited).toEqual({ code: 0, signal: null });
});
