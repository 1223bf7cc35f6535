import { stat } from 'node:fs/promises';
import { systemClock } from '../../core/clock.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import type { Metrics } from '../../metrics.js';
import type { Lane } from '../lane.js';
import type { CheckpointMode } from './checkpoint.js';
import type { Connection } from './thread.js';

/** Intervals without a write after which the log is emptied. */
const idleIntervals = 3;
/** Pages of the log above which the writer finishes a checkpoint, so that the log starts over: 8 MiB. */
const restartAbovePages = 2048;

const noop = () => {};

interface CheckpointOptions {
  /** Makes the checkpoints beside the writer. */
  readonly thread: Pick<Connection, 'checkpoint' | 'close'>;
  readonly writes: Lane<Connection>;
  /** Time between two checkpoints, and between two looks at the log during one, milliseconds. */
  readonly intervalMs: number;
  /** Size of the write-ahead log past which writes wait for a checkpoint under way, bytes. */
  readonly maxLogBytes: number;
  readonly logBytes: () => Promise<number>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * Checkpoints the write-ahead log: copies its pages into the database, on a connection of
 * its own, beside readers and writer. PASSIVE every `intervalMs` while there are writes;
 * TRUNCATE once after them, so that an idle master has no log on disk.
 *
 * A log starts over only when all of its pages are copied as a write begins, and beside a
 * busy writer some are always left. So when the log has grown, the writer itself copies
 * the rest between two groups: few pages, as the bulk was just done.
 *
 * A checkpoint lasts as long as the disk syncs, and the log grows meanwhile: past
 * `maxLogBytes` the writer waits for the checkpoint, and callers for the writer, each until
 * its own deadline.
 */
export class Checkpoints {
  readonly #task: PeriodicTask;
  #writes = 0;
  #quietIntervals = 0;
  #isTruncated = false;

  constructor(private readonly options: CheckpointOptions) {
    const { log, intervalMs } = options;
    this.#task = new PeriodicTask({
      clock: systemClock,
      log,
      intervalMs,
      name: 'a checkpoint',
      work: () => this.#step(),
    });
  }

  /** Notes that a group was written. */
  wrote(): void {
    this.#writes++;
    this.#isTruncated = false;
  }

  start(): void {
    this.#task.start();
  }

  async stop(): Promise<void> {
    await this.#task.stop();
    await this.options.thread.close();
  }

  async #step(): Promise<void> {
    this.#quietIntervals = this.#writes > 0 ? 0 : this.#quietIntervals + 1;
    const isIdle = this.#quietIntervals >= idleIntervals;
    if (this.#isTruncated || (this.#writes === 0 && !isIdle)) return;
    this.#writes = 0;
    const underWay = this.#checkpoint(this.options.thread, isIdle ? 'TRUNCATE' : 'PASSIVE');
    const { log, copied } = await this.#haltingWrites(underWay);
    this.#isTruncated = isIdle && log === copied;
    if (isIdle || log < restartAbovePages) return;
    this.options.writes.between(async (writer) => {
      await this.#checkpoint(writer, 'PASSIVE');
    });
  }

  /** Makes writes wait for the checkpoint under way if the log grows too large meanwhile. */
  async #haltingWrites<T>(underWay: Promise<T>): Promise<T> {
    const { writes, intervalMs, maxLogBytes, logBytes, log } = this.options;
    const look = async () => {
      const bytes = await logBytes();
      if (bytes <= maxLogBytes) return;
      log.warn({ wal_bytes: bytes }, 'writes wait for the disk');
      const over = underWay.then(noop, noop);
      writes.between(() => over);
      await over;
    };
    const looks = new PeriodicTask({
      clock: systemClock,
      log,
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

  async #checkpoint(thread: Pick<Connection, 'checkpoint'>, mode: CheckpointMode) {
    const pages = await thread.checkpoint(mode);
    this.options.metrics.checkpointSeconds.observe({ mode }, pages.durationMs / 1000);
    return pages;
  }
}

/** Bytes of the write-ahead log. */
export async function walBytes(databasePath: string): Promise<number> {
  return (await stat(`${databasePath}-wal`).catch(() => undefined))?.size ?? 0;
}
