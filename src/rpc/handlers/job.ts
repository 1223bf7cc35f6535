import type { JobServiceServer } from '../../gen/pandafuzz/v1/job_service.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';

export function jobHandlers({ jobs, pull }: State, adapt: Adapter) {
  return {
    createJob: adapt.unary('work', async (request, ctx) => ({
      job: await jobs.create(ctx, request),
    })),
    getJob: adapt.unary('read', async (request, ctx) => ({
      job: await jobs.get(ctx, request.jobId),
    })),
    listJobs: adapt.unary('read', (request, ctx) => jobs.list(ctx, request)),
    cancelJob: adapt.unary('work', async (request, ctx) => ({
      job: await jobs.cancel(ctx, request.jobId),
    })),
    assignJob: adapt.longPoll(async (request, ctx) => ({
      assignment: await pull.assign(ctx, request),
    })),
    completeJob: adapt.unary('result', async (request, ctx) => ({
      receipt: await jobs.complete(ctx, request.lease, request.result),
    })),
  } satisfies Partial<JobServiceServer>;
}
