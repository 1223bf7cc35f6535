import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { runMasterFor } from '../harness.js';
import { patienceMs } from '../patience.js';
import { createJob, registerBot } from '../steps.js';

test('a call that is under way when the connection is renewed ends on the old one', async () => {
  const { connection } = await runMasterFor();
  const { id: botId } = await registerBot(connection);
  const { jobs } = connection;
  const request = { botId, waitMs: 10_000, leaseTtlMs: 0 };
  const pulled = unary(jobs, jobs.assignJob, request, { timeoutMs: patienceMs });
  await unary(jobs, jobs.listJobs, { state: 0, pageSize: 1, pageToken: '' }); // after it on the wire
  connection.renew();
  const job = await createJob(connection);
  expect((await pulled).assignment?.lease?.jobId).toBe(job.id);
});
