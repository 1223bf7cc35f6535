import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { flushBeats } from '../../store/ops/leases/flush-beats.js';
import type { Store } from '../../store/store.js';
import { storedStatistics } from '../messages/records.js';
import type { Leases, LiveLease } from './leases.js';

/** Bots and runs in one write: small, so that other writes run in between. */
const sliceSize = 250;

/** Other masters of a cluster read from disk what this one's bots do: it is this old at most. */
const longestInCluster = 5_000;

export const flushIntervalOf = (given: number, { cluster }: Pick<Store, 'cluster'>): number =>
  cluster ? Math.min(given, longestInCluster) : given;

/** Time of a bot's last message, and the time that is on disk, ms since 1970. */
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
 * Heartbeat data (last seen, run statistics) on its way to disk: written every `intervalMs`,
 * one UPDATE a bot and one a lease, whatever the number of beats. Reads are answered from
 * memory; the disk serves the next process of the master.
 */
export class BeatLog {
  readonly #task: PeriodicTask;
  readonly #bots = new Map<string, Seen>();

  constructor(private readonly parts: BeatLogParts) {
    this.#task = new PeriodicTask({
      clock: parts.clock,
      log: parts.log,
      intervalMs: parts.intervalMs,
      name: 'beat flush',
      work: () => this.flush(),
    });
  }

  saw(botId: string, at: number): void {
    const seen = this.#bots.get(botId);
    if (seen) seen.at = at;
    else this.#bots.set(botId, { at, writtenAt: 0 });
  }

  /** Time of the bot's last message, ms since 1970; undefined: the store has it. */
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

  /** Writes everything that is not on disk. A failure is not retried: later beats repeat the data. */
  async flush(): Promise<void> {
    const seen = this.#takeUnwritten();
    const leases = this.parts.leases.takeUnflushed();
    try {
      for (let at = 0; at < Math.max(seen.length, leases.length); at += sliceSize) {
        await this.#write(seen.slice(at, at + sliceSize), leases.slice(at, at + sliceSize));
      }
    } catch (error) {
      this.parts.log.warn({ err: error }, 'beat flush failed');
    }
  }

  /** Also removes bots without a message since their last write. */
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
    const runs = leases.flatMap(({ jobId, fence, statistics, reportedAt: at }) =>
      statistics ? [{ jobId, fence, at, statistics: storedStatistics(statistics) }] : [],
    );
    const fresh = leases.filter(({ hasNewNote }) => hasNewNote);
    const now = this.parts.clock.now();
    const noted = fresh.map(({ jobId, fence }) => ({ jobId, fence, now }));
    await this.parts.inBackground('flush_beats', (ctx) =>
      this.parts.store.run(ctx, flushBeats, { bots: seen, runs, noted }),
    );
    for (const lease of fresh) lease.hasNewNote = false;
    for (const { id, lastSeenAt } of seen) {
      const bot = this.#bots.get(id);
      if (bot) bot.writtenAt = lastSeenAt;
    }
  }
}
