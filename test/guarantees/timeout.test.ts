import { status as Code } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { failureOf } from '../../src/client/failure.js';
import { JobSpec, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { listJobs } from '../../src/operator/lists.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { withLateness } from '../lateness.js';
import { createJob, metric, uploadTarget } from '../steps.js';
import { lockFromOutside } from './second-process.js';

test('timeout: the caller hears of it in time, and the dropped write never appears', async () => {
  const directory = temporaryFolder();
  const { connection, master } = await runMasterFor(
    { PANDAFUZZ_DATABASE_MAX_RETRIES: '1000' },
    directory,
  );
  const { sha256: targetSha256 } = await uploadTarget(connection);
  const timeoutsBefore = await metric(master, 'database_timeout_count');
  const { released } = await lockFromOutside(directory, 1500);

  const spec = JobSpec.create({ engine: 'libfuzzer', targetSha256, name: 'dropped' });
  const request = { spec, requestId: '' };
  const startedAt = performance.now();
  const failures = await Promise.all(
    [200, 400, 600].map(async (timeoutMs) => {
      const call = unary(connection.jobs, connection.jobs.createJob, request, { timeoutMs });
      const [error, machinesMs] = await withLateness(call.catch((error: unknown) => error));
      const lateMs = performance.now() - startedAt - timeoutMs - machinesMs;
      return { ...failureOf(error), lateMs };
    }),
  );
  for (const { code, lateMs } of failures) {
    expect(code).toBe(Code.DEADLINE_EXCEEDED);
    expect(lateMs).toBeLessThan(50);
  }
  await released;
  const kept = await createJob(connection, { targetSha256, name: 'kept' });
  const stored = await listJobs(connection, { state: JobState.UNSPECIFIED, limit: 10 });
  expect(stored.map(({ id }) => id)).toEqual([kept.id]);
  expect((await metric(master, 'database_timeout_count')) - timeoutsBefore).toBe(3);
});
