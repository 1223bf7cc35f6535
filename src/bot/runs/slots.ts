import type { Logger } from '../../core/log.js';
import type {
  JobDone,
  JobDoneAck,
  LeasePhase,
  LeaseStatus,
} from '../../gen/pandafuzz/v1/heartbeat.js';
import { JobOutcome, type JobResult, type JobStatistics } from '../../gen/pandafuzz/v1/job.js';
import type { Assignment, Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { Answer, Refusal } from '../line/session.js';
import type { RunLogs } from './run-logs.js';

export const leaseKey = ({ jobId, attempt, fence }: Lease) => `${jobId}/${attempt}/${fence}`;

/** On a stream the bot is known: each beat would repeat it. */
const streamLease = ({ jobId, attempt, fence }: Lease): Lease => ({ jobId, attempt, fence });

/** Why a run is stopped before its limits: with what result, or with none. */
export type StopReason = 'cancelled' | 'shutdown' | 'abandoned';

/** A run, as far as its slot has to know it. */
export interface SlotRun {
  readonly lease: Lease;
  readonly phase: LeasePhase;
  readonly statistics: JobStatistics | undefined;
  /** The result; undefined when it was abandoned. Never rejects. */
  readonly ended: Promise<JobResult | undefined>;
  /** Resolves when its engine is dead and what it found is in the spool. */
  readonly quiet: Promise<void>;
  /** Idempotent; only "abandoned" goes over an earlier reason. */
  stop(reason: StopReason): void;
  /** To be called when the master needs nothing more of it. */
  remove(): Promise<void>;
}

interface Slot {
  readonly run: SlotRun;
  /** Set once the run has ended; the slot stays taken until the master has the result. */
  result?: JobResult;
}

/**
 * The bot's slots and what runs in them. A slot is taken from the moment its
 * job is accepted until the master has acknowledged the result, or says that the
 * lease is no longer valid.
 */
export class Slots {
  readonly #taken = new Map<string, Slot>();
  readonly #clearing = new Set<Promise<void>>();
  readonly #onEmpty: (() => void)[] = [];
  #isClosed = false;

  constructor(
    private readonly options: {
      count: number;
      /** Why a job cannot be taken, or its run, begun. */
      begin: (assignment: Assignment & { lease: Lease }) => SlotRun | Refusal;
      /** Whether the machine has what new work needs. */
      hasRoom: () => boolean;
      /** What the engines print. Absent: nobody keeps it. */
      logs?: Pick<RunLogs, 'tailOf' | 'end'>;
      /** A run has ended: its result can be sent. */
      onDone: (done: JobDone) => void;
      /** How many slots are free has changed. */
      onFree: () => void;
      log: Logger;
    },
  ) {}

  get free(): number {
    if (this.#isClosed || !this.options.hasRoom()) return 0;
    return Math.max(this.options.count - this.#taken.size, 0);
  }

  get leases(): Lease[] {
    return [...this.#taken.values()].map(({ run }) => streamLease(run.lease));
  }

  get statuses(): LeaseStatus[] {
    return [...this.#taken.values()].map(({ run, result }) => ({
      lease: streamLease(run.lease),
      phase: run.phase,
      statistics: result?.statistics ?? run.statistics,
    }));
  }

  /** Results the master has not yet acknowledged. */
  get done(): JobDone[] {
    return [...this.#taken.values()].flatMap(({ run: { lease }, result }) =>
      result ? [this.#doneOf(lease, result)] : [],
    );
  }

  /** The same job again is taken already. */
  assign(assignment: Assignment): Answer {
    const { lease } = assignment;
    if (!lease) return { refused: 'the assignment has no lease' };
    if (this.#taken.has(leaseKey(lease))) return 'taken';
    this.#abandonOlder(lease);
    if (this.free === 0) return 'not now';
    const run = this.options.begin({ ...assignment, lease });
    if ('refused' in run) return run;
    this.take(run);
    return 'taken';
  }

  /** Gives a run a slot: a new one, or one that an earlier process has finished. */
  take(run: SlotRun): void {
    const slot: Slot = { run };
    this.#taken.set(leaseKey(run.lease), slot);
    void run.ended.then((result) => this.#onEnded(slot, result));
  }

  /** A newer lease of the same job makes this bot's older one worthless. */
  #abandonOlder(lease: Lease): void {
    for (const { run } of this.#taken.values()) {
      if (run.lease.jobId === lease.jobId) this.abandon(run.lease);
    }
  }

  #onEnded(slot: Slot, result: JobResult | undefined): void {
    const { lease } = slot.run;
    this.options.logs?.end(lease);
    if (result === undefined || this.#taken.get(leaseKey(lease)) !== slot) return;
    slot.result = result;
    this.options.onDone(this.#doneOf(lease, result));
  }

  /** The result; of a run that failed with the last of what its engine printed. */
  #doneOf(lease: Lease, result: JobResult): JobDone {
    const hasFailed = result.outcome === JobOutcome.FAILED;
    const logTail = hasFailed ? this.options.logs?.tailOf(lease) : undefined;
    return { lease: streamLease(lease), result, ...(logTail && { logTail }) };
  }

  has(lease: Lease): boolean {
    return this.#taken.has(leaseKey(lease));
  }

  /** Stops the run; its result follows. */
  cancel(lease: Lease): void {
    this.#taken.get(leaseKey(lease))?.run.stop('cancelled');
  }

  /** The lease is no longer valid: stops the run and forgets it. */
  abandon(lease: Lease): void {
    const slot = this.#taken.get(leaseKey(lease));
    if (!slot) return;
    this.options.log.warn({ ...lease }, 'lease lost');
    slot.run.stop('abandoned');
    this.#release(slot);
  }

  /** The master's last word on a result. */
  settle(lease: Lease, outcome: JobDoneAck['outcome']): void {
    const slot = this.#taken.get(leaseKey(lease));
    if (!slot) return;
    if (outcome?.$case === 'refusal') {
      const { reason, message } = outcome.value;
      this.options.log.warn({ ...lease, reason, why: message }, 'result refused');
    }
    this.#release(slot);
  }

  #release(slot: Slot, staysOnDisk = false): void {
    const { run } = slot;
    this.#taken.delete(leaseKey(run.lease));
    const left = staysOnDisk ? run.ended.then(() => {}) : run.remove();
    const cleared = left.catch((error) => {
      this.options.log.error({ err: error }, "a run's folder could not be removed");
    });
    this.#clearing.add(cleared);
    void cleared.finally(() => this.#clearing.delete(cleared));
    this.options.onFree();
    this.#tellEmpty();
  }

  /** Takes nothing more, and stops what runs. */
  close(reason: StopReason): void {
    this.#isClosed = true;
    this.options.onFree();
    for (const { run } of this.#taken.values()) run.stop(reason);
  }

  /** Resolves when every engine is dead and what they found is in the spool. */
  async quiet(): Promise<void> {
    await Promise.all([...this.#taken.values()].map(({ run }) => run.quiet));
  }

  /** Resolves when no slot is taken any more. */
  emptied(): Promise<void> {
    const emptied = new Promise<void>((resolve) => this.#onEmpty.push(resolve));
    this.#tellEmpty();
    return emptied;
  }

  #tellEmpty(): void {
    if (this.#taken.size > 0) return;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }

  /**
   * Gives back every slot. Runs whose results the master has not acknowledged stay on disk, for
   * the next process of the bot; resolves when nothing more is written there.
   */
  async clear(): Promise<void> {
    for (const slot of [...this.#taken.values()]) {
      slot.run.stop('abandoned');
      this.#release(slot, true);
    }
    await Promise.all(this.#clearing);
  }
}
