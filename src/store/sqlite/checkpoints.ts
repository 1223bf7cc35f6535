import { stat } from 'node:fs/promises';
import { systemClock } from '../../core/clock.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import type { Metrics } from '../../metrics.js';
import type { Lane } from '../lane.js';
import type { DatabaseThread } from './thread.js';
import type { CheckpointMode } from './worker.js';

/** The log is emptied when nothing was written for this many intervals. */
const idleIntervals = 3;
/** A log of more pages than this is brought home completely, so that it starts over: 8 MiB. */
const restartAbovePages = 2048;

const noop = () => {};

export interface CheckpointOptions {
  /** Time between two checkpoints, and between two looks at the log during one, milliseconds. */
  readonly intervalMs: number;
  /** Size of the write-ahead log past which writes wait for a checkpoint under way, bytes. */
  readonly maxLogBytes: number;
  readonly logBytes: () => Promise<number>;
}

/**
 * Brings the write-ahead log back into the database, on a connection of its own,
 * beside readers and writer: PASSIVE every `intervalMs` while there are writes;
 * TRUNCATE once after them, so that an idle master has no log on disk.
 *
 * A log starts over only when all of it is home as a write begins, and beside a
 * busy writer there is always a rest. So when it has grown, the writer itself
 * brings the rest home between two groups: little, as the bulk was just done.
 *
 * A checkpoint lasts as long as the disk syncs, and the log grows beside it: past
 * `maxLogBytes` the writer waits for the checkpoint, and callers for the writer,
 * each until its own deadline.
 */
export class Checkpoints {
  readonly #task: PeriodicTask;
  #writes = 0;
  #quietIntervals = 0;
  #isTruncated = false;

  constructor(
    private readonly thread: Pick<DatabaseThread, 'checkpoint' | 'close'>,
    private readonly writes: Lane,
    private readonly options: CheckpointOptions,
    private readonly metrics: Metrics,
    private readonly log: Logger,
  ) {
    const { intervalMs } = options;
    this.#task = new PeriodicTask({
      clock: systemClock,
      log,
      intervalMs,
      name: 'a checkpoint',
      work: () => this.#step(),
    });
  }

  /** A group was written. */
  wrote(): void {
    this.#writes++;
    this.#isTruncated = false;
  }

  start(): void {
    this.#task.start();
  }

  async stop(): Promise<void> {
    await this.#task.stop();
    await this.thread.close();
  }

  async #step(): Promise<void> {
    this.#quietIntervals = this.#writes > 0 ? 0 : this.#quietIntervals + 1;
    const isIdle = this.#quietIntervals >= idleIntervals;
    if (this.#isTruncated || (this.#writes === 0 && !isIdle)) return;
    this.#writes = 0;
    const underWay = this.#checkpoint(this.thread, isIdle ? 'TRUNCATE' : 'PASSIVE');
    const { log, home } = await this.#haltingWrites(underWay);
    this.#isTruncated = isIdle && log === home;
    if (isIdle || log < restartAbovePages) return;
    this.writes.between(async (writer) => {
      await this.#checkpoint(writer, 'PASSIVE');
    });
  }

  /** Has the writes wait for a checkpoint during which the log grows too large. */
  async #haltingWrites<T>(underWay: Promise<T>): Promise<T> {
    const { intervalMs, maxLogBytes, logBytes } = this.options;
    const look = async () => {
      const bytes = await logBytes();
      if (bytes <= maxLogBytes) return;
      this.log.warn({ wal_bytes: bytes }, 'writes wait for the disk: the write-ahead log is large');
      const over = underWay.then(noop, noop);
      this.writes.between(() => over);
      await over;
    };
    const looks = new PeriodicTask({
      clock: systemClock,
      log: this.log,
      intervalMs,
      name: 'a look at the log',
      work: look,
    });
    looks.start();
    try {
      return await underWay;
    } finally {
      await looks.stop();
    }
  }

  async #checkpoint(thread: Pick<DatabaseThread, 'checkpoint'>, mode: CheckpointMode) {
    const pages = await thread.checkpoint(mode);
    this.metrics.checkpointSeconds.observe({ mode }, pages.durationMs / 1000);
    return pages;
  }
}

/** Bytes of the write-ahead log. */
export async function walBytes(databasePath: string): Promise<number> {
  return (await stat(`${databasePath}-wal`).catch(() => undefined))?.size ?? 0;
}
