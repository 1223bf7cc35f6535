import type { MasterConfig } from '../../config/schema.js';
import type { Clock } from '../../core/clock.js';
import type { InBackground, RequestContext } from '../../core/context.js';
import { NotFoundError } from '../../core/errors.js';
import { firstIdOf } from '../../core/ids.js';
import { TurnBatch } from '../../core/turn-batch.js';
import {
  type Attempt,
  type Job,
  type JobReceipt,
  type JobResult,
  JobState,
  type JobStatistics,
} from '../../gen/pandafuzz/v1/job.js';
import type { CreateJobRequest, ListJobsRequest } from '../../gen/pandafuzz/v1/job_service.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { RetryPause } from '../../store/after-attempt.js';
import {
  type CompletedJob,
  type CompleteJobInput,
  completeJob,
} from '../../store/ops/jobs/complete-job.js';
import { createJob } from '../../store/ops/jobs/create-job.js';
import { findJobs, type JobFilter } from '../../store/ops/jobs/find-jobs.js';
import { getJob } from '../../store/ops/jobs/get-job.js';
import { listJobs } from '../../store/ops/jobs/list-jobs.js';
import { pauseJob } from '../../store/ops/jobs/pause-job.js';
import { requestCancel } from '../../store/ops/jobs/request-cancel.js';
import { resumeJob } from '../../store/ops/jobs/resume-job.js';
import { retryJob } from '../../store/ops/jobs/retry-job.js';
import { showJob } from '../../store/ops/jobs/show-job.js';
import type { JobRow } from '../../store/rows.js';
import type { Settled, Store } from '../../store/store.js';
import type { Blame, ToldEnd } from '../bots/blame.js';
import type { Sessions } from '../bots/sessions.js';
import { isStopWanted, type Leases, type LiveLease } from '../leases/leases.js';
import { checkLease, checkResult } from '../messages/checks.js';
import { jobInput } from '../messages/job-input.js';
import type { JobSecrets } from '../messages/job-secrets.js';
import { completeSpec } from '../messages/job-spec.js';
import { cutPage, pageTokenAfter, readPage } from '../messages/pages.js';
import {
  attemptRecord,
  jobRecord,
  jobStateName,
  jobStateOf,
  newJobRecord,
} from '../messages/records.js';
import { runEach } from '../messages/run-each.js';
import { Violations } from '../messages/violations.js';
import type { Dispatch } from '../scheduling/dispatch.js';

/** Attempts that GetJob returns. */
const shownAttempts = 100;

/** A result that waits for its write. */
interface Ending {
  readonly input: CompleteJobInput;
  readonly resolve: (done: CompletedJob) => void;
  readonly reject: (error: unknown) => void;
}

/** A result, and what follows from it. */
interface ToldEnding {
  readonly input: CompleteJobInput;
  readonly told: ToldEnd;
  /** The final figures. */
  readonly last: JobStatistics | undefined;
  /** Its lease, as far as it is valid. */
  readonly live: LiveLease | undefined;
  readonly stored: () => void;
}

export interface JobsParts {
  readonly store: Store;
  readonly leases: Leases;
  readonly dispatch: Dispatch;
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly inBackground: InBackground;
  readonly defaults: MasterConfig['jobs'];
  readonly retryPause: RetryPause;
  readonly blame: Blame;
  readonly secrets: Pick<JobSecrets, 'expect'>;
}

/** Jobs, from CreateJob to a receipt. Holds nothing across an await: the store decides. */
export class Jobs {
  readonly #endings = new TurnBatch<Ending>((endings) => void this.#completeEach(endings));

  constructor(private readonly parts: JobsParts) {}

  async create(ctx: RequestContext, request: CreateJobRequest): Promise<Job> {
    const found = new Violations();
    if (request.requestId !== '') found.id(request.requestId, 'request_id');
    const spec = completeSpec(request.spec, this.parts.defaults, found);
    this.parts.secrets.expect(spec.project, spec.environment);
    await this.parts.store.room.expect(0, 'new');
    const [id, now] = [this.parts.newId(), this.parts.clock.now()];
    const input = jobInput(spec, { id, requestId: request.requestId || null, now });
    const { queue, targetName, earlier } = await this.parts.store.run(ctx, createJob, input);
    this.parts.dispatch.addQueue(queue);
    if (earlier) {
      // The caller repeats it: the first answer was lost, and with it the announcement.
      this.#wake(earlier);
      return this.#record(earlier);
    }
    const { readyAt } = input;
    if (readyAt === null || readyAt <= now) this.parts.dispatch.jobPending(queue.id);
    return newJobRecord(id, { ...spec, targetName }, now);
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, id: string): Promise<{ job: Job; attempts: Attempt[] }> {
    new Violations().id(id, 'job_id').throwIfAny();
    const shown = await this.parts.store.run(ctx, showJob, { jobId: id, attempts: shownAttempts });
    if (!shown) throw new NotFoundError({ resource: 'job', id });
    const attempts = shown.attempts.map((row) =>
      attemptRecord(row, this.parts.leases.statisticsOf(id, row.fence), shown.job.statistics),
    );
    return { job: this.#record(shown.job), attempts };
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
    const { project, targetName, campaign, since } = request;
    found
      .text(project ?? '', 'project', { max: 64 })
      .text(targetName ?? '', 'target_name', { max: 128 })
      .text(campaign ?? '', 'campaign', { max: 128 });
    const page = readPage(request, found);
    if (project || targetName || campaign || since) {
      const isBound = ctx.principal.projects !== undefined;
      const filter = { state, project, targetName, campaign, isBound };
      return this.#find(ctx, filter, { ...page, since });
    }
    const rows = await this.parts.store.run(ctx, listJobs, { ...page, ...(state && { state }) });
    const cut = cutPage(rows, page.limit);
    const jobs = cut.rows.map((row) => this.#record(row));
    return { jobs, nextPageToken: cut.nextPageToken };
  }

  async #find(
    ctx: RequestContext,
    filter: JobFilter,
    { since, beforeId, limit }: { since: Date | undefined; beforeId: string; limit: number },
  ): Promise<{ jobs: Job[]; nextPageToken: string }> {
    const sinceId = since ? firstIdOf(since.getTime()) : '';
    const keys = { filter, sinceId, beforeId, limit: limit - 1 };
    const read = await this.parts.store.run(ctx, findJobs, keys);
    return {
      jobs: read.jobs.map((row) => this.#record(row)),
      nextPageToken: read.isEnd || !read.lastId ? '' : pageTokenAfter(read.lastId),
    };
  }

  /** @throws NotFoundError, PreconditionError */
  async cancel(ctx: RequestContext, jobId: string): Promise<Job> {
    new Violations().id(jobId, 'job_id').throwIfAny();
    return this.#stop(
      await this.parts.store.run(ctx, requestCancel, { jobId, now: this.parts.clock.now() }),
    );
  }

  /** @throws NotFoundError, PreconditionError */
  async pause(ctx: RequestContext, jobId: string): Promise<Job> {
    new Violations().id(jobId, 'job_id').throwIfAny();
    return this.#stop(
      await this.parts.store.run(ctx, pauseJob, { jobId, now: this.parts.clock.now() }),
    );
  }

  /** @throws NotFoundError, PreconditionError */
  async resume(ctx: RequestContext, jobId: string): Promise<Job> {
    new Violations().id(jobId, 'job_id').throwIfAny();
    const row = await this.parts.store.run(ctx, resumeJob, { jobId, now: this.parts.clock.now() });
    const live = this.#leaseOf(row);
    if (live) live.stopRequested = isStopWanted(row);
    this.#wake(row);
    return this.#record(row);
  }

  /** @throws NotFoundError, PreconditionError */
  async retry(ctx: RequestContext, jobId: string): Promise<Job> {
    new Violations().id(jobId, 'job_id').throwIfAny();
    const row = await this.parts.store.run(ctx, retryJob, { jobId, now: this.parts.clock.now() });
    this.#wake(row);
    return this.#record(row);
  }

  /** Another master has asked for a stop of a job, or has taken that back. */
  async lookAt(jobId: string): Promise<void> {
    const { store, inBackground } = this.parts;
    const row = await inBackground(getJob.name, (ctx) => store.run(ctx, getJob, jobId));
    const live = row && this.#leaseOf(row);
    if (!row || !live) return;
    live.isTimedOut = (row.timed_out_at ?? null) !== null;
    if (live.stopRequested && !isStopWanted(row)) live.stopRequested = false;
    else if (!live.stopRequested) this.#stop(row);
  }

  /** @throws StaleLeaseError, AlreadyExistsError, NotFoundError */
  async complete(
    ctx: RequestContext,
    lease: Lease | undefined,
    result: JobResult | undefined,
  ): Promise<JobReceipt> {
    const ending = this.#endingOf(lease, result, lease?.botId);
    const { input } = ending;
    return this.#ended(ending, this.parts.store.run(ctx, completeJob, input));
  }

  /**
   * As `complete`, in one write with all results of this turn of the event loop.
   *
   * @param told `acknowledged`: an acknowledgement of the lease that is not stored yet;
   *   `botId`: the bot of the stream
   */
  async completeSoon(
    lease: Lease | undefined,
    result: JobResult | undefined,
    told: { acknowledged: CompleteJobInput['acknowledged']; botId: string },
  ): Promise<JobReceipt> {
    const { acknowledged } = told;
    const ending = this.#endingOf(lease, result, told.botId);
    const input = { ...ending.input, ...(acknowledged && { acknowledged }) };
    const { promise, resolve, reject } = Promise.withResolvers<CompletedJob>();
    this.#endings.add({ input, resolve, reject });
    return this.#ended(ending, promise);
  }

  async #completeEach(endings: readonly Ending[]): Promise<void> {
    const inputs = endings.map(({ input }) => input);
    const outcomes = await runEach(this.parts.store, this.parts.inBackground, completeJob, inputs);
    for (const [index, { resolve, reject }] of endings.entries()) {
      const outcome = outcomes[index] as Settled<CompletedJob>;
      if (outcome.ok) resolve(outcome.value);
      else reject(outcome.error);
    }
  }

  #endingOf(
    lease: Lease | undefined,
    result: JobResult | undefined,
    botId: string | undefined,
  ): ToldEnding {
    const found = new Violations();
    const { jobId, attempt, fence } = checkLease(lease, found);
    const live = this.parts.leases.find({ jobId, attempt, fence });
    const told = checkResult(result, live?.statistics, found);
    found.throwIfAny();
    // Of a lease of another bot the store says so.
    const own = live && (botId === undefined || live.botId === botId) ? live : undefined;
    const { stored, ...judged } = this.parts.blame.judge(own, told);
    const named = { jobId, attempt, fence, ...(botId !== undefined && { botId }) };
    const now = this.parts.clock.now();
    const input = { ...named, ...told, ...judged, ...this.parts.retryPause, now };
    return { input, told, last: result?.statistics, live: own, stored };
  }

  async #ended(ending: ToldEnding, storing: Promise<CompletedJob>): Promise<JobReceipt> {
    const { input, told, last, live, stored } = ending;
    const { jobId, attempt, fence } = input;
    const done = await storing.finally(stored);
    const { leases, dispatch, blame } = this.parts;
    let { wakes } = done;
    // The same result may be on its way twice.
    if (live && leases.find(live) === live) {
      // Of its last moments, for those who look at it as it ends.
      if (last) leases.report(live, live.phase, last);
      leases.end(live);
      blame.ended(live, told, done.isTargetToBlame);
      // The answer to the first try was lost, and with it the announcement.
      if (done.state === 'pending') wakes ??= live.queueId;
    }
    if (wakes !== undefined) dispatch.jobPending(wakes);
    const state = jobStateOf(done.state);
    return { jobId, attempt, fence, recordedAt: new Date(done.recordedAt), state };
  }

  /** Announces a pending job to the dispatcher. */
  #wake(row: JobRow): void {
    if (row.state === 'pending' && row.delayed === 0) this.parts.dispatch.jobPending(row.queue_id);
  }

  /** Sends a requested stop to the bot. */
  #stop(row: JobRow): Job {
    const live = this.#leaseOf(row);
    if (live && isStopWanted(row)) {
      live.stopRequested = true;
      this.parts.sessions.of(live.botId)?.cancel(live);
    }
    return this.#record(row);
  }

  /** The live lease of a job. If its claim is still under way, the dispatcher gets the newer row. */
  #leaseOf(row: JobRow): LiveLease | undefined {
    if (row.state !== 'assigned' && row.state !== 'running') return undefined;
    const live = this.parts.leases.ofJob(row.id);
    if (live?.fence === row.fence) return live;
    this.parts.dispatch.jobChanged(row);
    return undefined;
  }

  #record(row: JobRow): Job {
    return jobRecord(row, this.parts.leases.statisticsOf(row.id, row.fence));
  }
}
