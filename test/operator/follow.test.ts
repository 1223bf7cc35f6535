import type { ServerUnaryCall, ServiceError, sendUnaryData } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { Job, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import {
  type GetJobRequest,
  type GetJobResponse,
  JobServiceService,
} from '../../src/gen/pandafuzz/v1/job_service.js';
import { allCompleted, followJobs, linePerChange } from '../../src/operator/follow.js';
import { away, connectTo } from './wire.js';

type Answer = Partial<ServiceError> | { state: JobState };

/** A master that answers each look at a job with the next of these. */
function masterAnswering(answers: Answer[]) {
  return connectTo([
    JobServiceService,
    {
      getJob(
        { request }: ServerUnaryCall<GetJobRequest, GetJobResponse>,
        answer: sendUnaryData<GetJobResponse>,
      ) {
        const next = answers.shift() ?? away;
        if (!('state' in next)) return answer(next);
        const finishedAt = next.state >= JobState.COMPLETED ? new Date() : undefined;
        answer(null, { attempts: [], job: Job.create({ ...next, id: request.jobId, finishedAt }) });
      },
    },
  ]);
}

const signal = new AbortController().signal;
const quiet = linePerChange(() => {});

test('jobs are followed to their end, over a master that goes away meanwhile', async () => {
  const connection = await masterAnswering([
    { state: JobState.RUNNING },
    away,
    { state: JobState.COMPLETED },
  ]);
  const lines: string[] = [];
  const view = linePerChange((line) => lines.push(line));
  const jobs = await followJobs(connection, ['j'], { signal }, view);
  expect(jobs.map((job) => job.state)).toEqual([JobState.COMPLETED]);
  expect(allCompleted(jobs)).toBe(true);
  expect(lines).toEqual([
    'j running, 0 executions, 0 hits, 0 kept',
    `no master answers at ${connection.address}; waiting for it`,
    'j completed, 0 executions, 0 hits, 0 kept',
  ]);
});

test('a job that ended in another way is not one that completed', async () => {
  const connection = await masterAnswering([{ state: JobState.DEAD }]);
  expect(allCompleted(await followJobs(connection, ['j'], { signal }, quiet))).toBe(false);
});

test('following ends at once when it is interrupted', async () => {
  const connection = await masterAnswering([{ state: JobState.RUNNING }]);
  const stop = new AbortController();
  const following = followJobs(connection, ['j'], { signal: stop.signal }, quiet);
  stop.abort(new Error('interrupted'));
  await expect(following).rejects.toThrow(/interrupted|CANCELLED/);
});
