import { newId } from '../../src/core/ids.js';
import type { HeartbeatRequest, HeartbeatResponse } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { type Job, JobState } from '../../src/gen/pandafuzz/v1/job.js';

type Answer = NonNullable<HeartbeatResponse['message']>;

const ttlMs = 30_000;
const heartbeatIntervalMs = 5000;

/**
 * Answers as a master does, with as many bytes and no state. Every slot that Hello
 * announces gets a job, and the next one once that is done: jobs without end.
 */
export function answerTo({ message }: HeartbeatRequest, job: Job): Answer[] {
  switch (message?.$case) {
    case 'hello': {
      const value = { heartbeatIntervalMs, leaseTtlMs: ttlMs, leases: [] };
      return [{ $case: 'welcome', value }, ...offers(message.value.freeSlots, job)];
    }
    case 'beat': {
      const { sequence, leases } = message.value;
      const renew = { remainingTtlMs: ttlMs, cancelRequested: false };
      const renewed = leases.map(({ lease }) => ({ lease, ...renew }));
      const value = { sequence, leases: renewed, nextBeatInMs: heartbeatIntervalMs };
      return [{ $case: 'beatAck', value }];
    }
    case 'jobDone': {
      const { lease } = message.value;
      const { jobId = '', attempt = 0, fence = 0 } = lease ?? {};
      const state = JobState.COMPLETED;
      const receipt = { jobId, attempt, fence, recordedAt: new Date(), state };
      return [
        { $case: 'jobDoneAck', value: { lease, outcome: { $case: 'receipt', value: receipt } } },
        ...offers(1, job),
      ];
    }
    default:
      return [];
  }
}

const offers = (count: number, { spec }: Job): Answer[] =>
  Array.from({ length: count }, () => ({
    $case: 'assign',
    value: { assignment: { lease: { jobId: newId(), attempt: 1, fence: 1 }, spec, ttlMs } },
  }));
