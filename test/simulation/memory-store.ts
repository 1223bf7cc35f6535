import { TimeoutError } from '../../src/core/errors.js';
import type { Metrics } from '../../src/metrics.js';
import type { Settled } from '../../src/store/call.js';
import { Executor } from '../../src/store/executor.js';
import { Lane, type LaneThread } from '../../src/store/lane.js';
import { fromWire, LockConflict } from '../../src/store/sqlite/faults.js';
import type { Outcome } from '../../src/store/sqlite/group-commit.js';
import type { Store } from '../../src/store/store.js';
import type { Disk } from './disk.js';
import { besides } from './memory-blobs.js';
import type { Random } from './random.js';
import type { Owner, Timeline } from './timeline.js';
import type { Weather } from './weather.js';

interface Group {
  readonly calls: Parameters<LaneThread['run']>[0];
  readonly access: 'read' | 'write';
}

export interface MemoryStoreParts {
  readonly disk: Disk;
  readonly timeline: Timeline;
  readonly weather: Weather;
  readonly random: Random;
  /** The master whose store it is. */
  readonly owner: Owner;
  readonly metrics: Metrics;
}

const retry = { maxRetries: 5, firstDelayMs: 10, maxDelayMs: 1000, multiplier: 2 };
const readers = 2;

/**
 * The store of one master over the database that outlives it. Lanes, retries, operations and
 * group commit are the real ones; a thread is a delay before the work and one after it.
 */
export class MemoryStore {
  /** Groups that have not run yet. */
  readonly #waiting = new Set<Group>();
  /** Groups that were not answered yet. */
  #underWay = 0;
  readonly #listeners: (() => void)[] = [];
  readonly store: Store;
  /** What is asked is answered at once, in the middle of an event. */
  isInstant = false;

  constructor(private readonly parts: MemoryStoreParts) {
    const { timeline, random, owner, metrics } = parts;
    const lane = (access: Group['access'], threads: number) =>
      new Lane(
        Array.from({ length: threads }, (): LaneThread => this.#thread(access)),
        { maxQueued: 10_000, groupSize: access === 'write' ? 128 : 32 },
      );
    const executor = new Executor({
      writes: lane('write', 1),
      reads: lane('read', readers),
      retry,
      isRetryable: (error) => error instanceof LockConflict,
      metrics,
      clock: timeline.clockOf(owner, 'store'),
      random: random.next,
    });
    this.store = {
      run: (ctx, operation, input) => this.#counted(executor.run(ctx, operation, input)),
      runEach: (ctx, operation, inputs) => this.#counted(executor.runEach(ctx, operation, inputs)),
      onWrite: (listener) => this.#listeners.push(listener),
      copy: () => Promise.reject(new Error('there is nothing to copy')),
      space: async () => ({ databaseBytes: 0, diskFreeBytes: 2 ** 40 }),
      close: async () => {},
      cluster: undefined,
      ...besides(parts.disk),
    };
  }

  /** Nothing is asked that was not answered. */
  get isIdle(): boolean {
    return this.#underWay === 0;
  }

  /** The master is killed: what it has asked may still happen, and nobody hears of it. */
  kill(): void {
    const { random, disk, timeline } = this.parts;
    for (const { access, calls } of this.#waiting) {
      const happens = random.chance(0.5);
      timeline.note(`disk: ${calls.length} ${access}s ${happens ? 'happen' : 'are lost'}`);
      if (happens) disk.run(access, calls);
    }
    this.#waiting.clear();
  }

  async #counted<T>(asking: Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await asking;
    } catch (error) {
      if (error instanceof TimeoutError) this.parts.weather.wasFelt();
      throw error;
    } finally {
      this.#underWay--;
    }
  }

  #thread(access: Group['access']): LaneThread {
    return {
      run: (calls) => this.#run({ access, calls }),
      close: async () => {},
    };
  }

  #run(group: Group): ReturnType<LaneThread['run']> {
    if (this.isInstant) return Promise.resolve(this.#answer(this.#execute(group)));
    const { timeline, owner, weather } = this.parts;
    const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<LaneThread['run']>>>();
    const { beforeMs, afterMs, trouble } = weather.ofDisk(group.access);
    const names = `disk: ${[...new Set(group.calls.map(({ operation }) => operation))].join(' ')}`;
    this.#waiting.add(group);
    const run = () => {
      this.#waiting.delete(group);
      if (trouble) return group.calls.map((): Outcome => ({ ok: false, error: trouble }));
      return this.#execute(group);
    };
    const answer = (outcomes: readonly Outcome[]) => () => resolve(this.#answer(outcomes));
    timeline.after(
      beforeMs,
      `${names}${trouble ? ' fail' : ''}`,
      () => timeline.after(afterMs, `${names} answered`, answer(run()), owner),
      owner,
    );
    return promise;
  }

  #execute({ access, calls }: Group): Outcome[] {
    const outcomes = this.parts.disk.run(access, calls);
    const failed = outcomes.filter(({ ok }) => !ok).length;
    if (failed > 0) this.parts.timeline.note(`disk: ${failed} refused`);
    return outcomes;
  }

  #answer(outcomes: readonly Outcome[]): { outcomes: Settled<unknown>[]; durationMs: number } {
    for (const listener of this.#listeners) listener();
    const settled = outcomes.map(
      (outcome): Settled<unknown> =>
        outcome.ok ? outcome : { ok: false, error: fromWire(outcome.error) },
    );
    return { outcomes: settled, durationMs: 1 };
  }
}
