import type { Clock, Timer } from '../../core/clock.js';
import { LeasePhase } from '../../gen/pandafuzz/v1/heartbeat.js';
import type { JobStatistics } from '../../gen/pandafuzz/v1/job.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { ClaimedJob, LeaseRow } from '../../store/rows.js';
import { fuzzingLeftMs } from '../messages/assignment.js';

/**
 * The states of a job; each step is one transaction of the store:
 *
 *   pending ── claim ──> assigned ── LeaseAck ──> running ── JobDone ──> completed
 *      ▲                    │                        │
 *      │  rejected, unanswered                       │ failed, lost, infrastructure,
 *      └────────────────────┴────────────────────────┘ timed out, stopped unasked, not stopped
 *
 * On the way back to pending, requests on record decide: cancelled before dead (attempts
 * or time used up, or a failure that is certain) before paused before pending. A failure, a
 * timeout of the run and a refusal use up an attempt and lead to a pause; trouble of the
 * bot or the master uses up none (state/bots/blame.ts).
 *
 * Races: a result and the end of its lease: the first to delete the lease row wins, the
 * other gets STALE_LEASE. A cancel and a result: the first commit wins, and both are on
 * record. A repeated result: the row of the first one answers.
 *
 * `Leases` has the valid leases in memory. SQLite decides which lease of a job is valid;
 * memory decides how long it has left.
 *
 *   offered ── acknowledged ──> held ── renewed by each beat ──> held
 *      │                          │
 *      └── offer time is up ──────┴── TTL is up ──> expired: taken back
 *
 * The lease clock runs only while the master does. Each tick moves it by the time that
 * passed, but at most by `longestStepMs`: a master that was stopped for longer than the TTL
 * finds all leases as they were. After a restart each lease has one full TTL. It also stands
 * still while the other masters of a cluster may have given this one's leases to others.
 */
export interface LiveLease {
  readonly jobId: string;
  readonly attempt: number;
  readonly fence: number;
  readonly botId: string;
  readonly campaign: string;
  /** Length of the lease once it is acknowledged. */
  readonly ttlMs: number;
  /** Claimed by AssignJob: its bot may have no stream. */
  readonly pulled: boolean;
  readonly queueId: number | undefined;
  /** SHA-256 of its target. */
  readonly build: string | undefined;
  /** What it fuzzes, and by which engine; undefined of jobs that tests make up. */
  readonly target: LeaseTarget | undefined;
  /** Fuzzing that its job's limit has left for it, milliseconds; undefined: no limit. */
  readonly fuzzingLeftMs: number | undefined;
  /** Monotonic time. */
  readonly grantedAt: number;
  /** On the lease clock. */
  expiresAt: number;
  acknowledged: boolean;
  /** The acknowledgement is on disk, or on its way there. */
  acknowledgedOnDisk: boolean;
  /** A stop of the run is requested. */
  stopRequested: boolean;
  /** That is for JobTimeouts, whose own end it takes (upkeep/timekeeper.ts). */
  isTimedOut: boolean;
  /** Tick at which its end is checked next; a renewal moves `expiresAt` only. */
  dueTick: number;
  phase: LeasePhase | undefined;
  /** Its run has executed inputs. */
  isProven: boolean;
  /** First beat with the phase FUZZING, on the lease clock. */
  fuzzingSince: number | undefined;
  /** First beat after the request to stop, on the lease clock. */
  stoppingSince: number | undefined;
  /** The latest statistics. Changed in place, so that each beat's own object dies young. */
  statistics: JobStatistics | undefined;
  /** When they came, ms since 1970. */
  reportedAt: number;
  /** They are newer than those on disk. */
  isUnflushed: boolean;
  /** A bit for each subject of notes that came with beats. */
  noted: number;
  /** One of them is in no event yet. */
  hasNewNote: boolean;
}

/** Target by project and name, and engine. */
export interface LeaseTarget {
  readonly project: string;
  readonly name: string;
  readonly engine: string;
}

type NewLease = Omit<
  LiveLease,
  | ('grantedAt' | 'expiresAt' | 'dueTick' | 'phase' | 'isProven' | 'fuzzingSince')
  | ('stoppingSince' | 'statistics' | 'reportedAt' | 'isUnflushed' | 'noted' | 'hasNewNote')
>;

/** Statistics of a run, and when they came, ms since 1970. */
export interface LiveFigures {
  readonly statistics: JobStatistics;
  readonly at: number;
}

/** Interval of checks for expiry; a lease may outlive its time by as much. */
const tickMs = 250;
/** Leases that expire in one step; the rest of a lost fleet waits for the next step. */
const mostExpiries = 256;
/** Longest time between two ticks that counts; beyond it the process was stopped. */
const longestStepMs = 4 * tickMs;

const tickOf = (time: number) => Math.ceil(time / tickMs);

export interface LeasesParts {
  readonly clock: Clock;
  readonly times: { ttlMs: number; offerTimeoutMs: number };
  readonly onExpired: (lease: LiveLease) => void;
  /** While it says no, the lease clock stands still; absent: it always runs. */
  readonly isRunning?: (() => boolean) | undefined;
  /** Called for every lease that ends, for whatever reason. */
  readonly onEnded?: (lease: LiveLease) => void;
}

export class Leases {
  readonly #byJob = new Map<string, LiveLease>();
  readonly #byBot = new Map<string, LiveLease[]>();
  readonly #due = new Map<number, Set<LiveLease>>();
  readonly #ofCampaign = new Map<string, number>();
  #executionsPerSecond = 0;
  #tick = 0;
  #now = 0;
  #lastStep: number;
  #timer: Timer | undefined;

  constructor(private readonly parts: LeasesParts) {
    this.#lastStep = parts.clock.monotonic();
  }

  get size(): number {
    return this.#byJob.size;
  }

  all(): Iterable<LiveLease> {
    return this.#byJob.values();
  }

  start(): void {
    this.#timer = this.parts.clock.schedule(tickMs, () => {
      this.#step();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Adds a new lease: an offer, unless the claim was its acknowledgement. */
  grant(
    job: ClaimedJob,
    lease: { botId: string; ttlMs: number; acknowledged: boolean },
  ): LiveLease {
    return this.#add({
      jobId: job.id,
      attempt: job.attempt,
      fence: job.fence,
      botId: lease.botId,
      campaign: job.campaign,
      ttlMs: lease.ttlMs,
      acknowledged: lease.acknowledged,
      acknowledgedOnDisk: lease.acknowledged,
      stopRequested: isStopWanted(job),
      isTimedOut: job.timed_out_at !== null,
      pulled: lease.acknowledged,
      queueId: job.queue_id,
      build: job.target_sha256,
      target: targetOf(job),
      fuzzingLeftMs: fuzzingLeftMs(job),
    });
  }

  /** Adds a lease found on disk; it lasts at least `leastMs` from now. */
  restore(row: LeaseRow, leastMs = 0): LiveLease {
    const live = this.#add({
      jobId: row.job_id,
      attempt: row.attempt,
      fence: row.fence,
      botId: row.bot_id,
      campaign: row.campaign,
      ttlMs: row.ttl_ms,
      acknowledged: row.acknowledged_at !== null,
      acknowledgedOnDisk: row.acknowledged_at !== null,
      stopRequested: row.stop_requested === 1,
      isTimedOut: (row.timed_out_at ?? null) !== null,
      pulled: row.pulled === 1,
      queueId: row.queue_id,
      build: row.target_sha256,
      target: targetOf(row),
      fuzzingLeftMs: fuzzingLeftMs(row),
    });
    live.expiresAt = Math.max(live.expiresAt, this.#exactNow + leastMs);
    return live;
  }

  /** The live lease with exactly this job, attempt and fence. */
  find(lease: Pick<Lease, 'jobId' | 'attempt' | 'fence'>): LiveLease | undefined {
    const live = this.#byJob.get(lease.jobId);
    return live?.fence === lease.fence && live.attempt === lease.attempt ? live : undefined;
  }

  ofJob(jobId: string): LiveLease | undefined {
    return this.#byJob.get(jobId);
  }

  ofBot(botId: string): readonly LiveLease[] {
    return [...(this.#byBot.get(botId) ?? [])];
  }

  countOfCampaign(campaign: string): number {
    return this.#ofCampaign.get(campaign) ?? 0;
  }

  countOfBot(botId: string): number {
    return this.#byBot.get(botId)?.length ?? 0;
  }

  acknowledge(lease: LiveLease): void {
    lease.acknowledged = true;
    this.renew(lease);
  }

  renew(lease: LiveLease): void {
    lease.expiresAt = this.#endFromNow(lease);
    // The check at the earlier tick finds a later end by itself; only a sooner end must be moved.
    if (tickOf(lease.expiresAt) < lease.dueTick) this.#lookAgain(lease);
  }

  remainingMs(lease: LiveLease): number {
    return Math.max(Math.round(lease.expiresAt - this.#exactNow), 1);
  }

  /** Removes a lease that was completed, taken back or expired. */
  end(lease: LiveLease): void {
    if (this.#byJob.get(lease.jobId) !== lease) return;
    this.#byJob.delete(lease.jobId);
    this.#due.get(lease.dueTick)?.delete(lease);
    this.#executionsPerSecond -= lease.statistics?.executionsPerSecond ?? 0;
    // Sums of fractions drift: without leases it would be a little more or less than nothing.
    if (this.#byJob.size === 0) this.#executionsPerSecond = 0;
    const siblings = this.#byBot.get(lease.botId) as LiveLease[];
    siblings.splice(siblings.indexOf(lease), 1);
    if (siblings.length === 0) this.#byBot.delete(lease.botId);
    this.#count(lease.campaign, -1);
    this.parts.onEnded?.(lease);
  }

  /** The lease clock, milliseconds: it runs only while the master does. */
  get now(): number {
    return this.#now;
  }

  /** Stores phase and statistics of a beat. */
  report(
    lease: LiveLease,
    phase: LeasePhase | undefined,
    statistics: JobStatistics | undefined,
  ): void {
    lease.phase = phase;
    if (phase === LeasePhase.FUZZING) lease.fuzzingSince ??= this.#now;
    if (!lease.stopRequested) lease.stoppingSince = undefined;
    else lease.stoppingSince ??= this.#now;
    if (!statistics) return;
    lease.reportedAt = this.parts.clock.now();
    this.#executionsPerSecond +=
      statistics.executionsPerSecond - (lease.statistics?.executionsPerSecond ?? 0);
    for (const { kind } of statistics.notes) {
      lease.hasNewNote ||= (lease.noted & (1 << kind)) === 0;
      lease.noted |= 1 << kind;
    }
    if (lease.statistics) Object.assign(lease.statistics, statistics);
    else lease.statistics = statistics;
    lease.isUnflushed = true;
  }

  /** The latest statistics under this lease; undefined if the lease has ended. */
  statisticsOf(jobId: string, fence: number): LiveFigures | undefined {
    const lease = this.#byJob.get(jobId);
    if (lease?.fence !== fence || !lease.statistics) return undefined;
    return { statistics: { ...lease.statistics }, at: lease.reportedAt };
  }

  /** Leases with statistics that came in since the last call. */
  takeUnflushed(): LiveLease[] {
    const fresh = [...this.all()].filter(({ isUnflushed }) => isUnflushed);
    for (const lease of fresh) lease.isUnflushed = false;
    return fresh;
  }

  /** Sum over all leases. */
  get executionsPerSecond(): number {
    return Math.max(this.#executionsPerSecond, 0);
  }

  #add(lease: NewLease): LiveLease {
    const known = this.#byJob.get(lease.jobId);
    if (known && known.fence >= lease.fence) return known;
    if (known) this.end(known);
    const live: LiveLease = {
      ...lease,
      grantedAt: this.parts.clock.monotonic(),
      expiresAt: 0,
      dueTick: 0,
      phase: undefined,
      isProven: false,
      fuzzingSince: undefined,
      stoppingSince: undefined,
      statistics: undefined,
      reportedAt: 0,
      isUnflushed: false,
      noted: 0,
      hasNewNote: false,
    };
    this.#byJob.set(live.jobId, live);
    const siblings = this.#byBot.get(live.botId);
    if (siblings) siblings.push(live);
    else this.#byBot.set(live.botId, [live]);
    this.#count(live.campaign, 1);
    live.expiresAt = this.#endFromNow(live);
    this.#lookAgain(live);
    return live;
  }

  /** The lease clock between two ticks: counted from the last tick, a lease would end a tick too early. */
  get #exactNow(): number {
    return this.#now + Math.min(this.parts.clock.monotonic() - this.#lastStep, longestStepMs);
  }

  #count(campaign: string, change: 1 | -1): void {
    const count = this.countOfCampaign(campaign) + change;
    if (count === 0) this.#ofCampaign.delete(campaign);
    else this.#ofCampaign.set(campaign, count);
  }

  #endFromNow(lease: LiveLease): number {
    return this.#exactNow + (lease.acknowledged ? lease.ttlMs : this.parts.times.offerTimeoutMs);
  }

  #lookAgain(lease: LiveLease): void {
    this.#due.get(lease.dueTick)?.delete(lease);
    lease.dueTick = Math.max(tickOf(lease.expiresAt), this.#tick + 1);
    const bucket = this.#due.get(lease.dueTick);
    if (bucket) bucket.add(lease);
    else this.#due.set(lease.dueTick, new Set([lease]));
  }

  #step(): void {
    const now = this.parts.clock.monotonic();
    if (this.parts.isRunning?.() === false) {
      this.#lastStep = now;
      return;
    }
    this.#now += Math.min(now - this.#lastStep, longestStepMs);
    this.#lastStep = now;
    let left = mostExpiries;
    for (const last = Math.floor(this.#now / tickMs); this.#tick < last; this.#tick++) {
      for (const lease of this.#due.get(this.#tick + 1) ?? []) {
        if (lease.expiresAt > this.#now) this.#lookAgain(lease);
        else if (left-- > 0) this.#expire(lease);
        else return;
      }
      this.#due.delete(this.#tick + 1);
    }
  }

  #expire(lease: LiveLease): void {
    this.end(lease);
    this.parts.onExpired(lease);
  }
}

function targetOf({
  project,
  target_name: name,
  engine,
}: Pick<ClaimedJob, 'project' | 'target_name' | 'engine'>): LeaseTarget | undefined {
  if (project === undefined || name === undefined || engine === undefined) return undefined;
  return { project, name, engine };
}

/** A cancel, a pause or a timeout of this job is on record. */
export const isStopWanted = (job: ClaimedJob): boolean =>
  (job.cancel_requested_at ?? job.pause_requested_at ?? job.timed_out_at ?? null) !== null;
