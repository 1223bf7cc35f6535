import type { Database } from 'better-sqlite3';
import { OperationContext } from '../../src/core/context.js';
import { messageOf } from '../../src/core/errors.js';
import { silentLog } from '../../src/core/log.js';
import type { World } from './world.js';

interface Facts {
  job_id: string;
  fence: number;
}

/** Events between two looks. */
const lookEvery = 40;

/**
 * What holds when nothing is under way and nothing has gone wrong for a while: memory knows
 * the leases of the disk, and a job that waits has a reason to.
 */
export class Calm {
  readonly #leases;
  readonly #waiting;
  #nextLook = 0;

  constructor(
    private readonly world: World,
    db: Database,
  ) {
    this.#leases = db.prepare<[], Facts>('SELECT job_id, fence FROM leases');
    this.#waiting = db.prepare<[], { id: string }>(
      "SELECT id FROM jobs WHERE state = 'pending' LIMIT 5",
    );
  }

  /** How often it was calm enough. */
  looks = 0;

  async look(): Promise<void> {
    const { timeline, weather, master } = this.world;
    if (timeline.events < this.#nextLook || !master?.isServing) return;
    if (!weather.isCalm || !master.memory.isIdle) return;
    if (master.frozenUntil > timeline.now) return;
    this.#nextLook = timeline.events + lookEvery;
    this.looks++;
    this.#compare();
    for (const { id } of this.#waiting.all()) {
      const reasons = await this.explain(id);
      if (reasons.length === 0) this.world.violated('no reason', `${id} waits without a reason`);
    }
  }

  #compare(): void {
    const { leases } = (this.world.master as NonNullable<World['master']>).state.sessionParts;
    const rows = this.#leases.all();
    const isKnown = ({ job_id, fence }: Facts) => leases.ofJob(job_id)?.fence === fence;
    if (leases.size === rows.length && rows.every(isKnown)) return;
    const known = [...leases.all()].map(({ jobId, fence }) => `${jobId}/${fence}`);
    const stored = rows.map(({ job_id, fence }) => `${job_id}/${fence}`);
    this.world.violated('memory', `it has ${known}, the disk ${stored}`);
  }

  /** Why the job waits, at this very moment. */
  async explain(jobId: string): Promise<string[]> {
    const { master } = this.world;
    if (!master) return ['there is no master'];
    const about = { operation: 'explain', timeoutMs: 60_000, requestId: '', log: silentLog };
    const ctx = new OperationContext({ ...about, clock: master.clock });
    master.memory.isInstant = true;
    try {
      return (await master.state.explain.job(ctx, jobId)).reasons;
    } catch (error) {
      this.world.violated('internal error', `explain: ${messageOf(error)}`);
      return [];
    } finally {
      master.memory.isInstant = false;
      ctx.end();
    }
  }
}
