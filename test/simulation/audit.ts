import type { World } from './world.js';

interface JobFacts {
  id: string;
  state: string;
  fence: number;
  bot_id: string | null;
  queue_id: number;
  used: number;
  max_attempts: number;
}

interface LeaseFacts {
  job_id: string;
  fence: number;
  bot_id: string;
}

const selectJobs = `SELECT id, state, fence, bot_id, queue_id,
  failed_attempts + refused_attempts AS used, max_attempts FROM jobs`;
const selectLeases = 'SELECT job_id, fence, bot_id FROM leases';
/** Groups of writes between two looks at everything; those jobs that a write names are looked at after it. */
const wholeEvery = 16;

const finished = new Set(['completed', 'cancelled', 'dead']);
const leased = new Set(['assigned', 'running']);
const tooEarly = new Set([
  'no beat of the bot renewed it within the TTL',
  'the bot did not answer the offer in time',
]);

/** Looks at the database after each change: what has to hold at every moment. */
export class Audit {
  readonly #jobs;
  readonly #job;
  readonly #leases;
  readonly #lease;
  readonly #counters;
  readonly #queues;
  readonly #open;
  readonly #ended;
  readonly #attempt;
  readonly #crash;
  #seenCommits = 0;
  /** By job, what was there at the last look. */
  readonly #before = new Map<string, { state: string; fence: number }>();

  constructor(private readonly world: World) {
    const { db } = world.disk;
    this.#jobs = db.prepare<[], JobFacts>(selectJobs);
    this.#job = db.prepare<[string], JobFacts>(`${selectJobs} WHERE id = ?`);
    this.#lease = db.prepare<[string], LeaseFacts>(`${selectLeases} WHERE job_id = ?`);
    this.#leases = db.prepare<[], LeaseFacts>(selectLeases);
    this.#counters = db.prepare<[], { name: string; value: number }>(
      'SELECT name, sum(value) AS value FROM counters GROUP BY name',
    );
    this.#queues = db.prepare<[], { id: number; pending: number }>(
      'SELECT id, pending FROM queues',
    );
    this.#open = db.prepare<[], LeaseFacts>(
      'SELECT job_id, fence, bot_id FROM attempts WHERE outcome IS NULL',
    );
    this.#ended = db.prepare<[string, number], { outcome: string | null; message: string | null }>(
      'SELECT outcome, message FROM attempts WHERE job_id = ? AND fence = ?',
    );
    this.#attempt = db.prepare<[string, number], { outcome: string; state_after: string }>(
      'SELECT outcome, state_after FROM attempts WHERE job_id = ? AND fence = ?',
    );
    this.#crash = db.prepare<[string], { job_id: string; input_sha256: string }>(
      'SELECT job_id, input_sha256 FROM crashes WHERE id = ?',
    );
  }

  /** After an event; costs nothing where nothing was written. */
  look(): void {
    const { commits, touched } = this.world.disk;
    if (commits === this.#seenCommits) return;
    this.#seenCommits = commits;
    for (const id of touched) {
      const job = this.#job.get(id);
      if (job) this.#lookAt(job, this.#lease.get(id));
    }
    touched.clear();
    if (commits % wholeEvery === 0) this.#lookAtAll();
  }

  #lookAtAll(): void {
    const jobs = this.#jobs.all();
    const leases = new Map(this.#leases.all().map((lease) => [lease.job_id, lease]));
    for (const job of jobs) this.#lookAt(job, leases.get(job.id));
    if (leases.size !== jobs.filter(({ state }) => leased.has(state)).length)
      this.world.violated('leases', 'a lease belongs to no job that has one');
    this.#lookAtOpen(leases);
    this.#count(jobs);
  }

  #lookAt({ id, state, fence, bot_id, ...job }: JobFacts, lease: LeaseFacts | undefined): void {
    const { world } = this;
    const before = this.#before.get(id);
    if (before && fence < before.fence)
      world.violated('fence', `${id} went from fence ${before.fence} to ${fence}`);
    if (before && finished.has(before.state) && state !== before.state) {
      const isRevived = before.state !== 'completed' && world.ledger.revived.has(id);
      if (!isRevived) world.violated('state', `${id} went from ${before.state} to ${state}`);
    }
    const isSame = lease?.fence === fence && lease.bot_id === bot_id;
    if (leased.has(state) !== (lease !== undefined) || (lease && !isSame))
      world.violated('leases', `${id} is ${state} with fence ${fence}, lease ${lease?.fence}`);
    if (job.used > job.max_attempts) world.violated('attempts', `${id} has used ${job.used}`);
    if (before && before.fence === fence && leased.has(before.state) && !leased.has(state))
      this.#expectInTime({ jobId: id, fence });
    if (before && before.state === state && before.fence === fence) return;
    this.#before.set(id, { state, fence });
  }

  /** A lease that was taken back for its time was promised for no longer. */
  #expectInTime(lease: { jobId: string; fence: number }): void {
    const { ledger, timeline } = this.world;
    const ended = this.#ended.get(lease.jobId, lease.fence);
    const earlyMs = ledger.promiseOf(lease) - timeline.now;
    if (tooEarly.has(ended?.message ?? '') && earlyMs > 0)
      this.world.violated('too early', `${lease.jobId} was taken back ${earlyMs} ms early`);
  }

  #lookAtOpen(leases: ReadonlyMap<string, LeaseFacts>): void {
    const open = this.#open.all();
    const isOne = ({ job_id, fence }: LeaseFacts) => leases.get(job_id)?.fence === fence;
    if (open.length !== leases.size || !open.every(isOne))
      this.world.violated('attempts', `${open.length} are open, with ${leases.size} leases`);
  }

  #count(jobs: readonly JobFacts[]): void {
    const counted = new Map<string, number>();
    const pending = new Map<number, number>();
    for (const { state, queue_id } of jobs) {
      counted.set(`jobs.${state}`, (counted.get(`jobs.${state}`) ?? 0) + 1);
      if (state === 'pending') pending.set(queue_id, (pending.get(queue_id) ?? 0) + 1);
    }
    for (const { name, value } of this.#counters.all()) {
      if (name.startsWith('jobs.') && value !== (counted.get(name) ?? 0))
        this.world.violated('counters', `${name} is ${value}, not ${counted.get(name) ?? 0}`);
    }
    for (const queue of this.#queues.all()) {
      if (queue.pending !== (pending.get(queue.id) ?? 0))
        this.world.violated('counters', `queue ${queue.id} has ${queue.pending} pending`);
    }
  }

  /** All that was ever confirmed is there, once. */
  confirmed(): void {
    const { world } = this;
    this.#lookAtAll();
    const { ledger, disk } = world;
    for (const { lease, outcome, state } of ledger.receipts.values()) {
      const row = this.#attempt.get(lease.jobId, lease.fence);
      if (row?.outcome !== outcome || row.state_after !== state)
        world.violated('result lost', `${lease.jobId}/${lease.fence} ${outcome}: ${row?.outcome}`);
    }
    for (const { crashId, sha256, jobId } of ledger.crashes.values()) {
      const row = this.#crash.get(crashId);
      if (row?.input_sha256 !== sha256 || row.job_id !== jobId || !disk.blobs.has(sha256))
        world.violated('crash lost', `${crashId} with input ${sha256.slice(0, 8)}`);
    }
    for (const jobId of ledger.jobs.values()) {
      if (!this.#before.has(jobId)) world.violated('job lost', jobId);
    }
    const more = this.#before.size - ledger.jobs.size;
    if (world.operator.isIdle && more > 0)
      world.violated('job twice', `there are ${more} jobs more than requests`);
  }

  /** Jobs that have not ended. */
  unfinished(): JobFacts[] {
    return this.#jobs.all().filter(({ state }) => !finished.has(state));
  }
}
