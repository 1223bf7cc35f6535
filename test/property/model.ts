/**
 * The store as it should be, in a few maps: what each operation answers, and
 * what it leaves behind. Fast-check runs random stories against this and the
 * real thing. Every change is to one object, so that `structuredClone` is a
 * snapshot.
 */
export type Outcome = 'completed' | 'failed' | 'cancelled' | 'infrastructure';
export type Return = 'rejected' | 'unanswered' | 'lost';

export interface ModelJob {
  id: string;
  name: string;
  priority: number;
  maxAttempts: number;
  state: 'pending' | 'assigned' | 'running' | 'completed' | 'cancelled' | 'dead';
  attempt: number;
  failed: number;
  fence: number;
  bot: string | null;
  cancelRequested: boolean;
  outcome: Outcome | Return | null;
}

interface ModelAttempt {
  attempt: number;
  bot: string;
  outcome: Outcome | Return | null;
  message: string;
  stateAfter: ModelJob['state'] | null;
}

interface ModelCrash {
  job: string;
  /** Leases that met it: once each. */
  fences: number[];
  group: string;
  late: boolean;
}

export interface Lease {
  readonly id: string;
  readonly attempt: number;
  readonly fence: number;
}

/** What an operation does: answers, or fails with an error of this name. */
export type Answer = { readonly ok: object | null } | { readonly fails: string };

const finished = (job: ModelJob) => ['completed', 'cancelled', 'dead'].includes(job.state);

/** There is one queue, and no pause after a failure. */
const movedOn = ({ state }: ModelJob) => ({ state, wakes: state === 'pending' ? 1 : undefined });

export class Model {
  jobs: Record<string, ModelJob> = {};
  requests: Record<string, string> = {};
  /** By job: the fence and the bot of the lease that is valid. */
  leases: Record<string, { fence: number; bot: string }> = {};
  /** By "job/fence". */
  attempts: Record<string, ModelAttempt> = {};
  /** By "job/input". */
  crashes: Record<string, ModelCrash> = {};
  groups: Record<string, number> = {};

  create(
    id: string,
    requestId: string | null,
    spec: Pick<ModelJob, 'name' | 'priority' | 'maxAttempts'>,
  ): Answer {
    const earlier = requestId === null ? undefined : this.jobs[this.requests[requestId] ?? ''];
    if (earlier) {
      if (earlier.name !== spec.name) return { fails: 'AlreadyExistsError' };
      return { ok: { earlier: { id: earlier.id } } };
    }
    if (requestId !== null) this.requests[requestId] = id;
    this.jobs[id] = {
      id,
      ...spec,
      state: 'pending',
      attempt: 0,
      failed: 0,
      fence: 0,
      bot: null,
      cancelRequested: false,
      outcome: null,
    };
    return { ok: { earlier: undefined } };
  }

  claim(bot: string, acknowledged: boolean): Answer {
    const [job] = Object.values(this.jobs)
      .filter(({ state }) => state === 'pending')
      .sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
    if (!job) return { ok: null };
    job.state = acknowledged ? 'running' : 'assigned';
    job.fence++;
    job.attempt = job.failed + 1;
    job.bot = bot;
    const { id, fence, attempt } = job;
    this.leases[id] = { fence, bot };
    this.attempts[`${id}/${fence}`] = {
      attempt,
      bot,
      outcome: null,
      message: '',
      stateAfter: null,
    };
    return { ok: { id, fence, attempt } };
  }

  acknowledge(lease: Lease, bot: string): Answer {
    const held = this.leases[lease.id];
    if (held?.fence !== lease.fence || held.bot !== bot) return { fails: 'StaleLeaseError' };
    const job = this.#job(lease.id);
    if (job.state === 'assigned') job.state = 'running';
    return { ok: null };
  }

  complete(lease: Lease, outcome: Outcome, message: string): Answer {
    const attempt = this.attempts[`${lease.id}/${lease.fence}`];
    if (this.leases[lease.id]?.fence !== lease.fence || attempt?.attempt !== lease.attempt) {
      if (!this.jobs[lease.id]) return { fails: 'NotFoundError' };
      if (!attempt?.stateAfter || attempt.attempt !== lease.attempt)
        return { fails: 'StaleLeaseError' };
      const isSame = attempt.outcome === outcome && attempt.message === message;
      return isSame ? { ok: { state: attempt.stateAfter } } : { fails: 'AlreadyExistsError' };
    }
    const job = this.#job(lease.id);
    if (outcome === 'failed') job.failed++;
    if (outcome === 'completed') job.state = 'completed';
    else if (job.cancelRequested) job.state = 'cancelled';
    else job.state = outcome === 'failed' && job.failed >= job.maxAttempts ? 'dead' : 'pending';
    job.outcome = outcome;
    delete this.leases[lease.id];
    Object.assign(attempt, { outcome, message, stateAfter: job.state });
    return { ok: movedOn(job) };
  }

  release(lease: Lease, outcome: Return): Answer {
    if (this.leases[lease.id]?.fence !== lease.fence) return { ok: null };
    const job = this.#job(lease.id);
    if (outcome === 'rejected') job.failed++;
    if (job.cancelRequested) job.state = 'cancelled';
    else job.state = outcome === 'rejected' && job.failed >= job.maxAttempts ? 'dead' : 'pending';
    job.outcome = outcome;
    delete this.leases[lease.id];
    Object.assign(this.attempts[`${lease.id}/${lease.fence}`] as ModelAttempt, { outcome });
    return { ok: movedOn(job) };
  }

  cancel(id: string): Answer {
    const job = this.jobs[id];
    if (!job) return { fails: 'NotFoundError' };
    if (job.state === 'completed' || job.state === 'dead') return { fails: 'PreconditionError' };
    if (!finished(job)) job.cancelRequested = true;
    if (job.state === 'pending') job.state = 'cancelled';
    return { ok: { id, state: job.state } };
  }

  crash(lease: Lease, input: string, signature: string): Answer {
    const attempt = this.attempts[`${lease.id}/${lease.fence}`];
    if (attempt?.attempt !== lease.attempt) return { fails: 'NotFoundError' };
    const known = this.crashes[`${lease.id}/${input}`];
    if (known) {
      if (!known.fences.includes(lease.fence)) known.fences.push(lease.fence);
      return { ok: { duplicate: true, newGroup: false, late: known.late } };
    }
    const late = this.leases[lease.id]?.fence !== lease.fence;
    this.crashes[`${lease.id}/${input}`] = {
      job: lease.id,
      fences: [lease.fence],
      group: signature,
      late,
    };
    this.groups[signature] = (this.groups[signature] ?? 0) + 1;
    return { ok: { duplicate: false, newGroup: this.groups[signature] === 1, late } };
  }

  /** As the store's own reads show it. */
  view() {
    const inState = (state: string) =>
      Object.values(this.jobs).filter((job) => job.state === state).length;
    return {
      jobs: Object.values(this.jobs)
        .sort((a, b) => (a.id < b.id ? 1 : -1))
        .map(({ id, state, attempt, failed, fence, bot, cancelRequested, outcome }) => ({
          id,
          state,
          attempt,
          failed,
          fence,
          bot,
          cancelRequested,
          outcome,
        })),
      leases: Object.entries(this.leases)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([job, { fence, bot }]) => ({ job, fence, bot })),
      groups: Object.values(this.groups).sort((a, b) => a - b),
      counters: {
        bots: 2,
        artifacts: 1,
        crash_hits: Object.values(this.crashes).reduce((sum, { fences }) => sum + fences.length, 0),
        crash_inputs_kept: Object.keys(this.crashes).length,
        crash_groups: Object.keys(this.groups).length,
        // The target of one byte, and inputs of three bytes; each is a file.
        blob_file_bytes:
          1 + 3 * new Set(Object.keys(this.crashes).map((key) => key.split('/')[1])).size,
        pack_bytes: 0,
        pack_live_bytes: 0,
        'jobs.pending': inState('pending'),
        'jobs.assigned': inState('assigned'),
        'jobs.running': inState('running'),
        'jobs.completed': inState('completed'),
        'jobs.cancelled': inState('cancelled'),
        'jobs.dead': inState('dead'),
        'jobs.paused': inState('paused'),
      },
    };
  }

  #job(id: string): ModelJob {
    return this.jobs[id] as ModelJob;
  }
}
