import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect, test } from '@jest/globals';
import { JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { listJobs } from '../../src/operator/lists.js';
import { Process, place, reach } from '../processes.js';
import { createJob, uploadTarget } from '../steps.js';
import { lockFromOutside } from './second-process.js';

const heldMs = 3000;
const resolutionMs = 10;

/** The longest delay of the master's event loop since the last time it was asked, milliseconds. */
async function longestDelayMs(environment: Record<string, string>): Promise<number> {
  const response = await fetch(`http://${environment['PANDAFUZZ_HTTP_ADDRESS']}/metrics`);
  const [, seconds] = /^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(await response.text()) ?? [];
  return Number(seconds) * 1000;
}

test('write lock: reads go on, writes wait and succeed, and the event loop never stands still', async () => {
  const { address, environment } = await place();
  new Process(['master'], { ...environment, PANDAFUZZ_DATABASE_MAX_RETRIES: '50' });
  const connection = await reach(address);
  const { sha256: targetSha256 } = await uploadTarget(connection);
  const filter = { state: JobState.UNSPECIFIED, limit: 1000 };

  const { released } = await lockFromOutside(environment.PANDAFUZZ_DATA_DIRECTORY, heldMs);
  const lockedAt = performance.now();
  await longestDelayMs(environment); // from here on
  // What this machine does to any process in this time is not the master's doing.
  const machine = monitorEventLoopDelay({ resolution: resolutionMs });
  machine.enable();

  let isHeld = true;
  const writing = Array.from({ length: 20 }, async () => {
    const { id } = await createJob(connection, { targetSha256 });
    return { id, afterMs: performance.now() - lockedAt };
  });
  let reads = 0;
  const reading = (async () => {
    for (; isHeld; reads++) await listJobs(connection, filter);
  })();
  const [writes] = await Promise.all([
    Promise.all(writing),
    released.then(() => {
      isHeld = false;
    }),
  ]);
  await reading;
  const delayMs = await longestDelayMs(environment);
  machine.disable();

  expect(reads).toBeGreaterThan(100);
  expect(Math.min(...writes.map(({ afterMs }) => afterMs))).toBeGreaterThan(heldMs - 500);
  const stored = (await listJobs(connection, filter)).map(({ id }) => id);
  expect(new Set(stored)).toEqual(new Set(writes.map(({ id }) => id)));
  const machinesMs = Math.max(machine.max / 1e6 - resolutionMs, 0);
  // Each of the two processes may have been kept from running at a moment of its own.
  expect(delayMs).toBeLessThan(20 + 2 * machinesMs);
});
