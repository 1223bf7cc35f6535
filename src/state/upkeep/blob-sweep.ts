import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import type { Metrics } from '../../metrics.js';
import { pruneArtifacts } from '../../store/ops/corpus/prune-artifacts.js';
import type { Store } from '../../store/store.js';

/** Artifacts in one write: a few milliseconds. */
const sliceSize = 100;

export interface BlobSweepParts {
  readonly store: Pick<Store, 'run' | 'blobs' | 'cluster'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly metrics: Pick<Metrics, 'blobsSweptBytes'>;
  /** Milliseconds. */
  readonly ages: {
    readonly artifacts: number;
    readonly blobs: number;
    readonly sweep_interval: number;
  };
}

/** Deletes targets and seeds that no job has, and the bytes of everything that is not there any more. */
export class BlobSweep {
  readonly #task: PeriodicTask;
  readonly #stopped = new AbortController();

  constructor(private readonly parts: BlobSweepParts) {
    this.#task = new PeriodicTask({
      clock: parts.clock,
      log: parts.log,
      intervalMs: parts.ages.sweep_interval,
      name: 'blob sweep',
      work: () => this.sweep(),
    });
  }

  /** Not in a cluster: which of its masters' folders has a blob, nobody knows. */
  start(): void {
    if (!this.parts.store.cluster) this.#task.start();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#task.stop();
  }

  /** One round: a bounded part of the work. */
  async sweep(): Promise<void> {
    const { store, clock, ages, metrics, log } = this.parts;
    const { signal } = this.#stopped;
    const artifacts = await this.#pruneArtifacts();
    if (signal.aborted) return;
    const terms = { now: clock.now(), graceMs: ages.blobs, signal };
    const { blobs, bytes } = await store.blobs.sweep(terms);
    metrics.blobsSweptBytes.inc(bytes);
    if (artifacts + blobs + bytes > 0) log.info({ artifacts, blobs, bytes }, 'blobs swept');
  }

  async #pruneArtifacts(): Promise<number> {
    const { store, clock, ages, inBackground } = this.parts;
    const now = clock.now();
    const slice = { now, olderThan: now - ages.artifacts, limit: sliceSize };
    for (let total = 0; ; ) {
      const { looked, removed } = await inBackground(pruneArtifacts.name, (ctx) =>
        store.run(ctx, pruneArtifacts, slice),
      );
      total += removed;
      if (looked < sliceSize || this.#stopped.signal.aborted) return total;
    }
  }
}
