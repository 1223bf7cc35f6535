import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { addSamples, type Sample } from '../../store/ops/upkeep/add-samples.js';
import type { Store } from '../../store/store.js';
import type { Leases, LiveLease } from '../leases/leases.js';

/** Rows in one write: small, so that other writes run in between. */
const sliceSize = 500;

export interface SamplerParts {
  readonly store: Pick<Store, 'run'>;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly intervals: { sample_interval: number };
}

/** Stores the statistics of each live lease, once in every sampling interval. */
export class Sampler {
  readonly #task: PeriodicTask;

  constructor(private readonly parts: SamplerParts) {
    const work = () => this.sample();
    this.#task = new PeriodicTask({
      clock: parts.clock,
      log: parts.log,
      intervalMs: parts.intervals.sample_interval,
      name: 'sampling',
      work,
    });
  }

  start(): void {
    this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  async sample(): Promise<void> {
    const now = this.parts.clock.now();
    const samples = [...this.parts.leases.all()].flatMap(sampleOf);
    for (let at = 0; at < samples.length; at += sliceSize) {
      const slice = samples.slice(at, at + sliceSize);
      await this.parts.inBackground('add_samples', (ctx) =>
        this.parts.store.run(ctx, addSamples, { samples: slice, now }),
      );
    }
  }
}

function sampleOf({ jobId, fence, statistics }: LiveLease): Sample[] {
  if (!statistics) return [];
  const { executions, executionsPerSecond, coverage, corpusFiles, crashes } = statistics;
  const figures = { executions, executionsPerSecond, coverage, corpusFiles, crashes };
  return [{ jobId, fence, ...figures }];
}
