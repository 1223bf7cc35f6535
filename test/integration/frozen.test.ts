import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { Process, place, reach } from '../processes.js';
import { ScriptedBot } from '../scripted-bot.js';
import { createJob, registerBot } from '../steps.js';

const seconds = (count: number) => promisify(execFile)('sleep', [`${count}`]);

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
  await seconds(3);
  master.end('SIGCONT');
  const ack = await bot.beat(0, [lease]);
  expect(ack.leases).toMatchObject([{ lease, cancelRequested: false }]);
  expect(ack.leases[0]?.remainingTtlMs).toBeGreaterThan(0);
  const { job, attempts } = await unary(connection.jobs, connection.jobs.getJob, { jobId });
  expect(job).toMatchObject({ state: JobState.RUNNING, lostAttempts: 0 });
  expect(attempts).toHaveLength(1);
});
