import { stat } from 'node:fs/promises';
import { systemClock } from '../core/clock.js';
import type { Logger } from '../core/log.js';
import { Repeat } from '../core/repeat.js';
import type { Metrics } from '../metrics.js';
import type { DatabaseThread } from './thread.js';

/** The log is emptied when nothing was written for this many intervals. */
const idleIntervals = 3;

/**
 * Brings the write-ahead log back into the database, on a connection of its own,
 * beside readers and writer: PASSIVE every `intervalMs` while there are writes;
 * TRUNCATE once after them, so that an idle master has no log on disk.
 */
export class Checkpoints {
  readonly #repeat: Repeat;
  #writes = 0;
  #quietIntervals = 0;
  #isTruncated = false;

  constructor(
    private readonly thread: DatabaseThread,
    intervalMs: number,
    private readonly metrics: Metrics,
    log: Logger,
  ) {
    this.#repeat = new Repeat(systemClock, log, intervalMs, 'a checkpoint', () => this.#step());
  }

  /** A group was written. */
  wrote(): void {
    this.#writes++;
    this.#isTruncated = false;
  }

  start(): void {
    this.#repeat.start();
  }

  async stop(): Promise<void> {
    await this.#repeat.stop();
    await this.thread.close();
  }

  async #step(): Promise<void> {
    this.#quietIntervals = this.#writes > 0 ? 0 : this.#quietIntervals + 1;
    const isIdle = this.#quietIntervals >= idleIntervals;
    if (this.#isTruncated || (this.#writes === 0 && !isIdle)) return;
    this.#writes = 0;
    const mode = isIdle ? 'TRUNCATE' : 'PASSIVE';
    const { complete, durationMs } = await this.thread.checkpoint(mode);
    this.#isTruncated = isIdle && complete;
    this.metrics.checkpointSeconds.observe({ mode }, durationMs / 1000);
  }
}

/** Bytes of the write-ahead log. */
export async function walBytes(databasePath: string): Promise<number> {
  return (await stat(`${databasePath}-wal`).catch(() => undefined))?.size ?? 0;
}
