import type { JobServiceServer } from '../../gen/pandafuzz/v1/job_service.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';

export function jobHandlers(
  { jobs, pull, campaigns, watch, explain, logs, own }: State,
  adapt: Adapter,
) {
  return {
    createJob: adapt.unary('work', async (request, ctx) => ({
      job: await jobs.create(ctx, request),
    })),
    getJob: adapt.unary('read', (request, ctx) => jobs.get(ctx, request.jobId)),
    listJobs: adapt.unary('read', (request, ctx) => jobs.list(ctx, request)),
    cancelJob: adapt.unary('work', async (request, ctx) => ({
      job: await jobs.cancel(ctx, request.jobId),
    })),
    retryJob: adapt.unary('work', async (request, ctx) => ({
      job: await jobs.retry(ctx, request.jobId),
    })),
    pauseJob: adapt.unary('work', async (request, ctx) => ({
      job: await jobs.pause(ctx, request.jobId),
    })),
    resumeJob: adapt.unary('work', async (request, ctx) => ({
      job: await jobs.resume(ctx, request.jobId),
    })),
    setCampaign: adapt.unary('work', async (request, ctx) => ({
      campaign: await campaigns.set(ctx, request),
    })),
    listCampaigns: adapt.unary('read', (request, ctx) => campaigns.list(ctx, request)),
    watchJobs: adapt.feed((request, ctx) => watch.changes(ctx, request)),
    explainJob: adapt.unary('read', (request, ctx) => explain.job(ctx, request.jobId)),
    readJobLog: adapt.unary('read', (request, ctx) => logs.ofJob(ctx, request)),
    assignJob: adapt.longPoll(async (request, ctx) => {
      own.bot(ctx, request.botId);
      return { assignment: await pull.assign(ctx, request) };
    }),
    completeJob: adapt.unary('result', async ({ lease, result }, ctx) => ({
      receipt: await jobs.complete(ctx, await own.lease(ctx, lease), result),
    })),
  } satisfies JobServiceServer;
}
