import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { flushBeats } from '../../store/ops/leases/flush-beats.js';
import type { Store } from '../../store/store.js';
import { storedStatistics } from '../messages/records.js';
import type { Leases, LiveLease } from './leases.js';

/** Bots and runs of one write: small enough to let others through in between. */
const sliceSize = 250;

/** When a bot was last heard of, and what of it is on disk, ms since 1970. */
interface Seen {
  at: number;
  writtenAt: number;
}

export interface BeatLogParts {
  readonly store: Pick<Store, 'run'>;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly intervalMs: number;
}

/**
 * What beats tell, on its way to disk: gathered, and written every `intervalMs`, one
 * UPDATE a bot and one a lease, however often they beat. Beats are answered from
 * memory, and so is who asks for what they told: the disk has it for the next master.
 */
export class BeatLog {
  readonly #task: PeriodicTask;
  readonly #bots = new Map<string, Seen>();

  constructor(private readonly parts: BeatLogParts) {
    this.#task = new PeriodicTask({
      clock: parts.clock,
      log: parts.log,
      intervalMs: parts.intervalMs,
      name: 'flushing beats',
      work: () => this.flush(),
    });
  }

  saw(botId: string, at: number): void {
    const seen = this.#bots.get(botId);
    if (seen) seen.at = at;
    else this.#bots.set(botId, { at, writtenAt: 0 });
  }

  /** When a bot was last heard of, ms since 1970; undefined: the store knows. */
  lastSeenAt(botId: string): number | undefined {
    return this.#bots.get(botId)?.at;
  }

  start(): void {
    this.#task.start();
  }

  async stop(): Promise<void> {
    await this.#task.stop();
    await this.flush();
  }

  /** A flush that fails is no loss worth a retry: the next beats say the same again. */
  async flush(): Promise<void> {
    const seen = this.#takeUnwritten();
    const leases = this.parts.leases.takeUnflushed();
    try {
      for (let at = 0; at < Math.max(seen.length, leases.length); at += sliceSize) {
        await this.#write(seen.slice(at, at + sliceSize), leases.slice(at, at + sliceSize));
      }
    } catch (error) {
      this.parts.log.warn({ err: error }, 'beats could not be flushed');
    }
  }

  /** Bots that have said nothing since they were written are let go of. */
  #takeUnwritten(): { id: string; lastSeenAt: number }[] {
    const unwritten = [];
    for (const [id, { at, writtenAt }] of this.#bots) {
      if (at === writtenAt) this.#bots.delete(id);
      else unwritten.push({ id, lastSeenAt: at });
    }
    return unwritten;
  }

  async #write(
    seen: readonly { id: string; lastSeenAt: number }[],
    leases: readonly LiveLease[],
  ): Promise<void> {
    const runs = leases.flatMap(({ jobId, fence, statistics }) =>
      statistics ? [{ jobId, fence, statistics: storedStatistics(statistics) }] : [],
    );
    await this.parts.inBackground('flush_beats', (ctx) =>
      this.parts.store.run(ctx, flushBeats, { bots: seen, runs }),
    );
    for (const { id, lastSeenAt } of seen) {
      const bot = this.#bots.get(id);
      if (bot) bot.writtenAt = lastSeenAt;
    }
  }
}
