import { status as Code } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { failureOf } from '../../src/client/failure.js';
import { JobSpec, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { listJobs } from '../../src/operator/lists.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { createJob, eventually, metric, uploadTarget } from '../steps.js';
import { lockFromOutside } from './second-process.js';

test('timeout: callers get their status while the lock is still held, in the order of their deadlines, and the dropped write never appears', async () => {
  const directory = temporaryFolder();
  const { connection, master } = await runMasterFor(
    { PANDAFUZZ_DATABASE_MAX_RETRIES: '1000' },
    directory,
  );
  const { sha256: targetSha256 } = await uploadTarget(connection);
  const timeouts = () => metric(master, 'database_timeout_count');
  const timeoutsBefore = await timeouts();
  const { release } = await lockFromOutside(directory);

  const spec = JobSpec.create({ engine: 'libfuzzer', targetSha256, name: 'dropped' });
  const request = { spec, requestId: '' };
  const ended: { timeoutMs: number; code: Code | undefined }[] = [];
  await Promise.all(
    [600, 200, 400].map(async (timeoutMs) => {
      const call = unary(connection.jobs, connection.jobs.createJob, request, { timeoutMs });
      const error = await call.catch((error: unknown) => error);
      ended.push({ timeoutMs, code: failureOf(error)?.code });
    }),
  );
  expect(ended).toEqual([
    { timeoutMs: 200, code: Code.DEADLINE_EXCEEDED },
    { timeoutMs: 400, code: Code.DEADLINE_EXCEEDED },
    { timeoutMs: 600, code: Code.DEADLINE_EXCEEDED },
  ]);
  await eventually(async () => (await timeouts()) === timeoutsBefore + 3 || undefined);
  await release();
  const kept = await createJob(connection, { targetSha256, name: 'kept' });
  const stored = await listJobs(connection, { state: JobState.UNSPECIFIED, limit: 10 });
  expect(stored.map(({ id }) => id)).toEqual([kept.id]);
  expect((await timeouts()) - timeoutsBefore).toBe(3);
});
