import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { Job, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import {
  JobServiceService,
  type ListJobsRequest,
  type ListJobsResponse,
} from '../../src/gen/pandafuzz/v1/job_service.js';
import { listJobs } from '../../src/operator/lists.js';
import { connectTo } from './wire.js';

/** A master with this many jobs, that gives `largest` a page whatever it is asked for. */
async function masterWithJobs(total: number, largest: number) {
  const asked: ListJobsRequest[] = [];
  const connection = await connectTo([
    JobServiceService,
    {
      listJobs(
        { request }: ServerUnaryCall<ListJobsRequest, ListJobsResponse>,
        answer: sendUnaryData<ListJobsResponse>,
      ) {
        asked.push(request);
        const from = Number(request.pageToken || 0);
        const end = Math.min(total, from + Math.min(request.pageSize, largest));
        const jobs = Array.from({ length: end - from }, (_, i) =>
          Job.create({ id: String(from + i) }),
        );
        answer(null, { jobs, nextPageToken: end < total ? String(end) : '' });
      },
    },
  ]);
  return { connection, asked };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));

test('a list is read page after page to its end, each thing once', async () => {
  const { connection, asked } = await masterWithJobs(7, 3);
  const jobs = await listJobs(connection, { state: JobState.RUNNING, limit: 100 });
  expect(jobs.map((job) => job.id)).toEqual(numbers(7));
  expect(asked.map((request) => request.pageToken)).toEqual(['', '3', '6']);
  expect(asked.every((request) => request.state === JobState.RUNNING)).toBe(true);
});

test('a limit ends it, and no more is asked for than is wanted', async () => {
  const { connection, asked } = await masterWithJobs(5000, 1000);
  const jobs = await listJobs(connection, { state: JobState.UNSPECIFIED, limit: 1500 });
  expect(jobs.map((job) => job.id)).toEqual(numbers(1500));
  expect(asked.map((request) => request.pageSize)).toEqual([1000, 500]);
});
