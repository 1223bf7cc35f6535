import type { Clock } from '../core/clock.js';
import type { InBackground } from '../core/context.js';
import type { Logger } from '../core/log.js';
import { Repeat } from '../core/repeat.js';
import { JobStatistics } from '../gen/pandafuzz/v1/job.js';
import { flushBeats } from '../store/ops/flush-beats.js';
import type { Store } from '../store/store.js';
import type { Leases } from './leases.js';

/**
 * What beats tell, on its way to disk: gathered, and written as one operation
 * every `intervalMs`, one UPDATE a bot and one a lease. Beats themselves are
 * answered from memory.
 */
export class BeatLog {
  readonly #repeat: Repeat;
  #seen = new Map<string, number>();

  constructor(
    private readonly store: Pick<Store, 'run'>,
    private readonly leases: Leases,
    clock: Clock,
    private readonly log: Logger,
    private readonly inBackground: InBackground,
    intervalMs: number,
  ) {
    this.#repeat = new Repeat(clock, log, intervalMs, 'flushing beats', () => this.flush());
  }

  saw(botId: string, at: number): void {
    this.#seen.set(botId, at);
  }

  start(): void {
    this.#repeat.start();
  }

  async stop(): Promise<void> {
    await this.#repeat.stop();
    await this.flush();
  }

  /** A flush that fails is no loss worth a retry: the next beats say the same again. */
  async flush(): Promise<void> {
    const bots = [...this.#seen].map(([id, lastSeenAt]) => ({ id, lastSeenAt }));
    const runs = this.leases.takeUnflushed().map(({ jobId, fence, statistics }) => ({
      jobId,
      fence,
      statistics: JSON.stringify(JobStatistics.toJSON(statistics ?? JobStatistics.create())),
    }));
    if (bots.length + runs.length === 0) return;
    this.#seen = new Map();
    try {
      await this.inBackground('flush_beats', (ctx) =>
        this.store.run(ctx, flushBeats, { bots, runs }),
      );
    } catch (error) {
      this.log.warn({ err: error }, 'beats could not be flushed');
    }
  }
}
