import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { JobSpec, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { ListJobsResponse } from '../../src/gen/pandafuzz/v1/job_service.js';
import { listJobs } from '../../src/operator/lists.js';
import { runMasterFor } from '../harness.js';
import { uploadTarget } from '../steps.js';

const state = JobState.UNSPECIFIED;
const argumentsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => `-x${i}=${'x'.repeat(990)}`);

describe('a list of large jobs', () => {
  test('ends its pages at a bound of bytes, goes on, and leaves out what is for details', async () => {
    const { connection } = await runMasterFor();
    const { jobs } = connection;
    const { sha256: targetSha256 } = await uploadTarget(connection);
    const ids: string[] = [];
    for (let i = 0; i < 40; i++) {
      const spec = JobSpec.create({
        engine: 'libfuzzer',
        targetSha256,
        arguments: argumentsOf(60),
      });
      const { job } = await unary(jobs, jobs.createJob, { spec, requestId: '' });
      ids.unshift(job?.id ?? '');
    }
    const page = { pageSize: 1000, pageToken: '', state };
    const first = await unary(jobs, jobs.listJobs, page);
    expect(first.jobs.length).toBeLessThan(30);
    expect(first.nextPageToken).not.toBe('');
    expect(ListJobsResponse.encode(first).finish().length).toBeLessThan(1024 * 1024);
    expect(first.jobs.every(({ spec }) => spec?.arguments.length === 0)).toBe(true);
    const all = await listJobs(connection, { state, limit: 1000 });
    expect(all.map(({ id }) => id)).toEqual(ids);
    const { job } = await unary(jobs, jobs.getJob, { jobId: ids[0] as string });
    expect(job?.spec?.arguments).toEqual(argumentsOf(60));
  });

  test('has short arguments', async () => {
    const { connection } = await runMasterFor();
    const { jobs } = connection;
    const { sha256: targetSha256 } = await uploadTarget(connection);
    const spec = JobSpec.create({ engine: 'libfuzzer', targetSha256, arguments: ['-a=1'] });
    await unary(jobs, jobs.createJob, { spec, requestId: '' });
    const { jobs: listed } = await unary(jobs, jobs.listJobs, {
      pageSize: 0,
      pageToken: '',
      state,
    });
    expect(listed[0]?.spec?.arguments).toEqual(['-a=1']);
  });
});
