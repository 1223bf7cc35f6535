import type { MasterConfig } from '../../config/schema.js';
import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { inRound } from '../../store/cluster.js';
import type { CrashTarget } from '../../store/ops/crashes/regroup-reads.js';
import {
  type EndedWork,
  endedWork,
  type SettledWork,
  settleCrashWork,
} from '../../store/ops/crashes/settle-crash-work.js';
import {
  type TargetWork,
  type WaitingWork,
  waitingWork,
} from '../../store/ops/crashes/waiting-work.js';
import type { Store } from '../../store/store.js';
import type { WorkJobs } from './work-jobs.js';
import { canMinimise } from './work-spec.js';

/** Between two looks at what waits, milliseconds: nobody waits for it to the second. */
const intervalMs = 2000;
/** Ended jobs looked at in one read. */
const sliceSize = 200;
/** Jobs over which the same work may die. */
const mostTries = 2;
/** Inputs that a verification tries; the groups after them are another job's. */
const inputsOfJob = 200;

export interface CrashPolicyParts {
  readonly store: Pick<Store, 'run' | 'cluster'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly jobs: WorkJobs;
  readonly settings: MasterConfig['crashes'];
}

/**
 * Makes the jobs that work on crashes, as `crashes` in master.yaml, or the policies of the campaign
 * that met them, want them: no more of a target at once than it may have. What is to be done lies in the store (crash_work):
 *
 *   a new or reopened group, a crash to be made smaller, a new build
 *     ──> waits ──> its job is made ──> it ends: done
 *           ^                             │
 *           └── its job died, the first ──┘
 *               time: any bot may do it then
 */
export class CrashPolicy {
  readonly #task: PeriodicTask;

  constructor(private readonly parts: CrashPolicyParts) {
    const { clock, log } = parts;
    const work = () => inRound(parts.store, 'crashes', () => this.look());
    this.#task = new PeriodicTask({ clock, log, intervalMs, name: 'work on crashes', work });
  }

  start(): void {
    this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  /** Settles what has ended, then makes the jobs that there is room for. */
  async look(): Promise<void> {
    await this.#settleEnded();
    let after: CrashTarget = { project: '', targetName: '' };
    for (;;) {
      const target = await this.#waitingAfter(after);
      if (!target) return;
      // Where all of it was dropped, what stands behind it has its turn at once.
      const isAllDropped = await this.#makeEach(target);
      if (!isAllDropped) after = { project: target.project, targetName: target.targetName };
    }
  }

  /** @returns whether there was work, and all of it was dropped */
  async #makeEach(target: TargetWork): Promise<boolean> {
    let made = 0;
    try {
      for (const work of target.work) if (await this.#make(target, work)) made++;
      return target.work.length > 0 && made === 0;
    } catch (error) {
      const { project, targetName } = target;
      this.parts.log.warn({ err: error, project, targetName }, 'work on crashes not queued');
      return false;
    }
  }

  async #settleEnded(): Promise<void> {
    const { store, inBackground } = this.parts;
    for (;;) {
      const ended = await inBackground('list_ended_crash_work', (ctx) =>
        store.run(ctx, endedWork, { limit: sliceSize }),
      );
      if (ended.length > 0) await this.#settle(ended.map(settled));
      if (ended.length < sliceSize) return;
    }
  }

  #settle(work: SettledWork[]): Promise<void> {
    const { store, inBackground } = this.parts;
    return inBackground('settle_crash_work', (ctx) => store.run(ctx, settleCrashWork, work));
  }

  #waitingAfter(after: CrashTarget): Promise<TargetWork | undefined> {
    const { store, inBackground, settings } = this.parts;
    const input = { after, mostJobs: settings.max_jobs, mostInputs: inputsOfJob };
    return inBackground('list_waiting_crash_work', (ctx) => store.run(ctx, waitingWork, input));
  }

  /** @returns false: it is not wanted, and was dropped */
  async #make(target: CrashTarget, work: WaitingWork): Promise<boolean> {
    const { inBackground, jobs, settings, log } = this.parts;
    const { id, kind, crash, build, tries, targetSha256, afterGroupId } = work;
    const waiting = { id, tries };
    const { runs } = settings;
    const jobId = await inBackground('make_crash_work', async (ctx) => {
      if (!this.#isWanted(work)) return undefined;
      if (kind === 'verify' && build && targetSha256) {
        const on = { project: target.project, targetName: target.targetName, targetSha256 };
        return jobs.verify(ctx, build, { ...on, runs, afterGroupId }, waiting);
      }
      if (!crash) return undefined;
      const seconds = Math.ceil(settings.minimise_time / 1000);
      return kind === 'minimise'
        ? jobs.minimise(ctx, crash, { runs, seconds }, waiting)
        : jobs.reproduce(ctx, crash, runs, waiting);
    });
    if (jobId === undefined) await this.#settle([{ id, jobId: null, again: false }]);
    else log.debug({ job: jobId, kind, targetName: target.targetName }, 'work on crashes queued');
    return jobId !== undefined;
  }

  /** What people asked for by a call is wanted whatever the settings say: its job was made then. */
  #isWanted({ kind, tries, crash, policy }: WaitingWork): boolean {
    if (tries > 0) return true;
    if (crash?.status === 'ignored' || crash?.status === 'wont_fix') return false;
    if (kind === 'minimise' && !canMinimise(crash)) return false;
    return (policy ?? this.parts.settings[kind]) === 'on';
  }
}

const settled = ({ id, jobId, tries, state }: EndedWork): SettledWork => ({
  id,
  jobId,
  again: state === 'dead' && tries + 1 < mostTries,
});
