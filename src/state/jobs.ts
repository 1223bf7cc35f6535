import type { MasterConfig } from '../config/schema.js';
import type { Clock } from '../core/clock.js';
import type { RequestContext } from '../core/context.js';
import { NotFoundError } from '../core/errors.js';
import {
  type Job,
  type JobReceipt,
  type JobResult,
  JobSpec,
  JobState,
} from '../gen/pandafuzz/v1/job.js';
import type { CreateJobRequest, ListJobsRequest } from '../gen/pandafuzz/v1/job_service.js';
import type { Lease } from '../gen/pandafuzz/v1/lease.js';
import { completeJob } from '../store/ops/complete-job.js';
import { createJob } from '../store/ops/create-job.js';
import { getJob } from '../store/ops/get-job.js';
import { listJobs } from '../store/ops/list-jobs.js';
import { requestCancel } from '../store/ops/request-cancel.js';
import type { JobRow } from '../store/rows.js';
import type { Store } from '../store/store.js';
import { checkLease, checkResult } from './checks.js';
import type { Dispatch } from './dispatch.js';
import { completeSpec } from './job-spec.js';
import type { Leases } from './leases.js';
import { cutPage, readPage } from './pages.js';
import { jobRecord, jobStateName, jobStateOf } from './records.js';
import type { Sessions } from './sessions.js';
import { Violations } from './violations.js';

/** Jobs, from a wish to a receipt. Nothing is held across an await: the store decides. */
export class Jobs {
  constructor(
    private readonly store: Store,
    private readonly leases: Leases,
    private readonly dispatch: Dispatch,
    private readonly sessions: Sessions,
    private readonly clock: Clock,
    private readonly newId: () => string,
    private readonly defaults: MasterConfig['jobs'],
  ) {}

  async create(ctx: RequestContext, request: CreateJobRequest): Promise<Job> {
    const found = new Violations();
    if (request.requestId !== '') found.id(request.requestId, 'request_id');
    const spec = completeSpec(request.spec, this.defaults, found);
    const { job, created } = await this.store.run(ctx, createJob, {
      id: this.newId(),
      requestId: request.requestId || null,
      engine: spec.engine,
      priority: spec.priority,
      targetSha256: spec.targetSha256,
      seedsSha256: spec.seedsSha256 || null,
      targetName: spec.targetName,
      maxAttempts: spec.maxAttempts,
      spec: JSON.stringify(JobSpec.toJSON(spec)),
      now: this.clock.now(),
    });
    if (created) this.dispatch.jobPending(job.engine);
    return this.#record(job);
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, id: string): Promise<Job> {
    new Violations().id(id, 'job_id').throwIfAny();
    const row = await this.store.run(ctx, getJob, id);
    if (!row) throw new NotFoundError({ resource: 'job', id });
    return this.#record(row);
  }

  async list(
    ctx: RequestContext,
    request: ListJobsRequest,
  ): Promise<{ jobs: Job[]; nextPageToken: string }> {
    const state = jobStateName(request.state);
    const found = new Violations().expect(
      state !== undefined || request.state === JobState.UNSPECIFIED,
      'state',
      'must be a JobState',
    );
    const page = readPage(request, found);
    const rows = await this.store.run(ctx, listJobs, { ...page, ...(state && { state }) });
    const cut = cutPage(rows, page.limit);
    return { jobs: cut.rows.map((row) => this.#record(row)), nextPageToken: cut.nextPageToken };
  }

  /** @throws NotFoundError, PreconditionError */
  async cancel(ctx: RequestContext, jobId: string): Promise<Job> {
    new Violations().id(jobId, 'job_id').throwIfAny();
    const row = await this.store.run(ctx, requestCancel, { jobId, now: this.clock.now() });
    const lease = this.leases.ofJob(jobId);
    if (lease && lease.fence === row.fence && row.finished_at === null) {
      lease.cancelRequested = true;
      this.sessions.of(lease.botId)?.cancel(lease);
    }
    return this.#record(row);
  }

  /** @throws StaleLeaseError, AlreadyExistsError, NotFoundError */
  async complete(
    ctx: RequestContext,
    lease: Lease | undefined,
    result: JobResult | undefined,
  ): Promise<JobReceipt> {
    const found = new Violations();
    const { jobId, attempt, fence } = checkLease(lease, found);
    const ending = checkResult(result, found);
    found.throwIfAny();
    const input = { jobId, attempt, fence, ...ending, now: this.clock.now() };
    const done = await this.store.run(ctx, completeJob, input);
    const live = this.leases.find({ jobId, attempt, fence });
    if (live) this.leases.end(live);
    if (done.job?.state === 'pending') this.dispatch.jobPending(done.job.engine);
    const state = jobStateOf(done.state);
    return { jobId, attempt, fence, recordedAt: new Date(done.recordedAt), state };
  }

  #record(row: JobRow): Job {
    const lease = this.leases.ofJob(row.id);
    return jobRecord(row, lease?.fence === row.fence ? lease.statistics : undefined);
  }
}
