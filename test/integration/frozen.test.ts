import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { runMasterFor } from '../harness.js';
import { Process, place, reach } from '../processes.js';
import { ScriptedBot } from '../scripted-bot.js';
import { createJob, pulledLease, registerBot } from '../steps.js';

/** A lease of this time, given to a bot that falls silent, is lost: by a master that was not stopped. */
async function leaseLost(ttl: string): Promise<void> {
  const settings = { PANDAFUZZ_LEASES_TTL: ttl, PANDAFUZZ_LEASES_HEARTBEAT_INTERVAL: '200ms' };
  const { connection } = await runMasterFor(settings);
  const silent = new ScriptedBot(connection, (await registerBot(connection, 'silent')).id);
  await silent.hello(1);
  const { id: jobId } = await createJob(connection);
  await silent.take();
  expect(await pulledLease(connection, 'next')).toEqual({ jobId, attempt: 1, fence: 2 });
}

test('a master that was stopped for longer than the TTL finds its fleet as it left it', async () => {
  const { address, environment } = await place();
  const master = new Process(['master'], { ...environment, PANDAFUZZ_LEASES_TTL: '1s' });
  const connection = await reach(address);
  const bot = new ScriptedBot(connection, (await registerBot(connection)).id);
  await bot.hello(1);
  const { id: jobId } = await createJob(connection);
  const lease = await bot.take();
  await bot.beat(0, [lease]);

  master.end('SIGSTOP');
  await leaseLost('2s');
  master.end('SIGCONT');
  const ack = await bot.beat(0, [lease]);
  expect(ack.leases).toMatchObject([{ lease, cancelRequested: false }]);
  expect(ack.leases[0]?.remainingTtlMs).toBeGreaterThan(0);
  const { job, attempts } = await unary(connection.jobs, connection.jobs.getJob, { jobId });
  expect(job).toMatchObject({ state: JobState.RUNNING, lostAttempts: 0 });
  expect(attempts).toHaveLength(1);
});
