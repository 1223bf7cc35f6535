import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { listDue } from '../../store/ops/jobs/list-due.js';
import { readyJobs } from '../../store/ops/jobs/ready-jobs.js';
import { timeOutJob } from '../../store/ops/jobs/time-out-job.js';
import type { Store } from '../../store/store.js';
import type { Sessions } from '../bots/sessions.js';
import type { Leases } from '../leases/leases.js';
import type { Dispatch } from '../scheduling/dispatch.js';
import type { Reaper } from '../scheduling/reaper.js';

/** Interval of checks, and so the precision of all times of jobs. */
const intervalMs = 500;
/** Jobs in one check; other work runs between two checks. */
const sliceSize = 100;

export interface TimekeeperParts {
  readonly store: Pick<Store, 'run' | 'cluster'>;
  readonly leases: Leases;
  readonly sessions: Sessions;
  readonly dispatch: Dispatch;
  readonly reaper: Reaper;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  /** Time in which a bot must stop a run before its lease is taken back. */
  readonly graceMs: number;
}

/**
 * Times of jobs: makes delayed jobs ready at their moment, and stops or ends jobs whose
 * timeouts have passed. Reads the front of two indexes; writes only if something is due.
 */
export class Timekeeper {
  readonly #task: PeriodicTask;

  constructor(private readonly parts: TimekeeperParts) {
    const work = () => this.look();
    this.#task = new PeriodicTask({
      clock: parts.clock,
      log: parts.log,
      intervalMs,
      name: 'timekeeping',
      work,
    });
  }

  start(): void {
    this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  async look(): Promise<void> {
    const now = this.parts.clock.now();
    const master = this.parts.store.cluster?.id;
    const due = await this.parts.inBackground('list_due', (ctx) =>
      this.parts.store.run(ctx, listDue, { now, limit: sliceSize, master }),
    );
    if (due.isReady) await this.#handOut(now);
    for (const jobId of due.overdue) await this.#timeOut(jobId);
  }

  async #handOut(now: number): Promise<void> {
    const queues = await this.parts.inBackground('ready_jobs', (ctx) =>
      this.parts.store.run(ctx, readyJobs, { now, limit: sliceSize }),
    );
    for (const queueId of queues) this.parts.dispatch.jobPending(queueId);
  }

  async #timeOut(jobId: string): Promise<void> {
    const input = { jobId, graceMs: this.parts.graceMs, now: this.parts.clock.now() };
    const overdue = await this.parts.inBackground('time_out_job', (ctx) =>
      this.parts.store.run(ctx, timeOutJob, input),
    );
    if (!overdue) return;
    const { job, again } = overdue;
    this.parts.log.info({ job: jobId, state: job.state, again }, 'job timed out');
    const live = this.parts.leases.ofJob(jobId);
    if (live?.fence !== job.fence || job.state !== 'running') return;
    if (again) {
      this.parts.reaper.release(
        live,
        'timed_out',
        'the bot did not stop the run when its time was over',
      );
      return;
    }
    live.stopRequested = true;
    live.isTimedOut = true;
    this.parts.sessions.of(live.botId)?.cancel(live);
  }
}
