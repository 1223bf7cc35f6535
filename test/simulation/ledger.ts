import type { ReportCrashResponse } from '../../src/gen/pandafuzz/v1/crash_service.js';
import type { HeartbeatResponse } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { JobOutcome, type JobResult, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import type { Finding } from './findings.js';
import { keyOf } from './runs.js';
import type { World } from './world.js';

interface Given {
  readonly lease: Lease;
  /** Until when the master has promised it, virtual ms. */
  promisedUntil: number;
}

export interface Receipt {
  readonly lease: Lease;
  readonly outcome: string;
  readonly state: string;
}

/** What the master has said and confirmed, and what follows from each of these at once. */
export class Ledger {
  /** By job, the highest fence that anybody was given. */
  readonly #fences = new Map<string, number>();
  readonly #given = new Map<string, Given>();
  /** Confirmed results, by lease. */
  readonly receipts = new Map<string, Receipt>();
  /** Confirmed crashes: the answer by "job/input". */
  readonly crashes = new Map<string, { crashId: string; sha256: string; jobId: string }>();
  /** Confirmed jobs, by request. */
  readonly jobs = new Map<string, string>();
  /** Jobs whose cancellation is confirmed, and up to which fence leases may have been given. */
  readonly #cancelled = new Set<string>();
  /** Jobs that somebody has tried to revive. */
  readonly revived = new Set<string>();

  constructor(private readonly world: World) {}

  /** The master sends this to a bot. */
  said(bot: string, message: NonNullable<HeartbeatResponse['message']>): void {
    if (message.$case === 'assign') {
      const { lease, ttlMs = 0 } = message.value.assignment ?? {};
      if (lease) this.given(bot, lease, ttlMs);
    } else if (message.$case === 'beatAck') {
      for (const { lease, remainingTtlMs } of message.value.leases)
        if (lease && remainingTtlMs > 0) this.#renewed(bot, lease, remainingTtlMs);
    } else if (message.$case === 'welcome') {
      for (const { lease, keep } of message.value.leases)
        if (lease && keep) this.#renewed(bot, lease, 0);
    }
  }

  given(bot: string, lease: Lease, forMs = 0): void {
    const { world } = this;
    const key = keyOf(lease);
    const before = this.#fences.get(lease.jobId) ?? 0;
    if (this.#given.has(key)) world.violated('given twice', `${bot} got ${key} again`);
    if (lease.fence < before)
      world.violated('fence', `${bot} got ${key} after fence ${before} was given`);
    if (this.#cancelled.has(lease.jobId))
      world.violated('cancelled', `${bot} got ${key}, though its cancel was confirmed`);
    this.#fences.set(lease.jobId, Math.max(before, lease.fence));
    this.#given.set(key, { lease, promisedUntil: world.timeline.now + forMs });
  }

  #renewed(bot: string, lease: Lease, forMs: number): void {
    const highest = this.#fences.get(lease.jobId) ?? 0;
    const given = this.#given.get(keyOf(lease));
    if (lease.fence < highest)
      this.world.violated('two leases', `${bot} keeps ${keyOf(lease)}, ${highest} was given`);
    if (given) given.promisedUntil = Math.max(given.promisedUntil, this.world.timeline.now + forMs);
  }

  /** Until when a lease was promised, virtual ms. */
  promiseOf(lease: { jobId: string; fence: number }): number {
    return this.#given.get(keyOf(lease))?.promisedUntil ?? 0;
  }

  receipt(lease: Lease, result: JobResult, state: JobState): void {
    const outcome = JobOutcome[result.outcome].toLowerCase();
    this.receipts.set(keyOf(lease), { lease, outcome, state: JobState[state].toLowerCase() });
  }

  crashConfirmed({ lease, sha256 }: Finding, { crashId }: ReportCrashResponse): void {
    const { jobId } = lease;
    const before = this.crashes.get(`${jobId}/${sha256}`);
    if (before && before.crashId !== crashId)
      this.world.violated('crash twice', `${before.crashId} is ${crashId} now`);
    this.crashes.set(`${jobId}/${sha256}`, { crashId, sha256, jobId });
  }

  created(requestId: string, jobId: string): void {
    const before = this.jobs.get(requestId);
    if (before && before !== jobId)
      this.world.violated('job twice', `${requestId} made ${before} and ${jobId}`);
    this.jobs.set(requestId, jobId);
  }

  cancelled(jobId: string): void {
    if (!this.revived.has(jobId)) this.#cancelled.add(jobId);
  }

  /** From now on the job may run again. */
  reviving(jobId: string): void {
    this.revived.add(jobId);
    this.#cancelled.delete(jobId);
  }
}
