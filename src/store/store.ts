import { mkdirSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { RequestContext } from '../core/context.js';
import { messageOf, TimeoutError, UserError } from '../core/errors.js';
import type { Logger } from '../core/log.js';
import { executeWithRetry, type RetryPolicy } from '../core/retry.js';
import type { Metrics } from '../metrics.js';
import { BlobStore } from './blobs.js';
import { Lane } from './lane.js';
import { type Operation, urgencies } from './operation.js';
import { copyDatabase, type DatabaseCopy } from './sqlite/backup.js';
import { Checkpoints, walBytes } from './sqlite/checkpoints.js';
import { type ConnectionOptions, usualMaxLogBytes } from './sqlite/connection.js';
import { fromWire, isRetryableError } from './sqlite/faults.js';
import type { Outcome } from './sqlite/group-commit.js';
import { DatabaseThread } from './sqlite/thread.js';

export interface StoreOptions {
  /** Folder of the database and the blobs; made if it is missing. */
  readonly directory: string;
  readonly synchronous: 'full' | 'normal';
  /** Reader threads. */
  readonly readers: number;
  readonly maxQueuedWrites: number;
  readonly maxQueuedReads: number;
  readonly retry: RetryPolicy;
  /** Time between checkpoints, milliseconds. */
  readonly checkpointIntervalMs: number;
  /** Size of the write-ahead log past which writes wait for the disk, bytes; usually 64 MiB. */
  readonly maxLogBytes?: number;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Called when a database thread dies: the store is of no use any more. */
  readonly onFailure: (error: Error) => void;
}

/** Most calls in one transaction: keeps a group's commit well below any deadline. */
const largestGroup = 128;
/** Places for reads that a thread takes at once: for few pages, so that they delay little beside them. */
const readsAtOnce = 32;

const noTimer = () => 0;

/** How one of many operations ended. */
export type Settled<Output> =
  | { readonly ok: true; readonly value: Output }
  | { readonly ok: false; readonly error: unknown };

const settledOf = (outcome: Outcome): Settled<unknown> =>
  outcome.ok ? outcome : { ok: false, error: fromWire(outcome.error) };

/**
 * The one way to the database from the main thread: named operations, as
 * promises, under the caller's deadline. No lock anywhere: writes go in order
 * through one thread, reads run beside it on their own.
 */
export class Store {
  readonly #writes: Lane;
  readonly #reads: Lane;
  readonly #checkpoints: Checkpoints;
  readonly #onWrite: (() => void)[] = [];

  private constructor(
    private readonly options: StoreOptions,
    private readonly databasePath: string,
    [writer, checkpointer, ...readers]: readonly DatabaseThread[],
    /** Files kept by their content. */
    readonly blobs: BlobStore,
  ) {
    const { metrics, log, maxQueuedWrites, maxQueuedReads } = options;
    const { checkpointIntervalMs: intervalMs, maxLogBytes = usualMaxLogBytes } = options;
    const took = metrics.databaseTransactionSeconds;
    this.#writes = new Lane([writer as DatabaseThread], {
      maxQueued: maxQueuedWrites,
      groupSize: largestGroup,
      onGroup: (calls, durationMs) => {
        metrics.databaseGroupSize.observe(calls);
        took.observe({ access: 'write' }, durationMs / 1000);
        this.#checkpoints.wrote();
        for (const listener of this.#onWrite) listener();
      },
    });
    this.#reads = new Lane(readers, {
      maxQueued: maxQueuedReads,
      groupSize: readsAtOnce,
      onBusyChange: (busy) => metrics.concurrentReaders.set(busy),
      onGroup: (_, durationMs) => took.observe({ access: 'read' }, durationMs / 1000),
    });
    this.#checkpoints = new Checkpoints(
      checkpointer as DatabaseThread,
      this.#writes,
      { intervalMs, maxLogBytes, logBytes: () => walBytes(databasePath) },
      metrics,
      log,
    );
    metrics.watchStore({
      queued: () => urgencies.map((urgency) => [urgency, this.#writes.depthOf(urgency)]),
      walBytes: () => walBytes(databasePath),
    });
    this.#checkpoints.start();
  }

  /** @throws UserError when the folder or the database cannot be used */
  static async open(options: StoreOptions): Promise<Store> {
    makeFolder(options.directory);
    const path = join(options.directory, 'pandafuzz.db');
    const { synchronous, maxLogBytes } = options;
    const start = (access: ConnectionOptions['access'], name: string) =>
      DatabaseThread.start({ path, access, synchronous, maxLogBytes }, name, options.onFailure);
    // The writer first: it takes ownership and brings the schema up to date.
    const threads = [await start('write', 'writer')];
    try {
      threads.push(await start('upkeep', 'checkpointer'));
      for (let i = 1; i <= options.readers; i++) threads.push(await start('read', `reader ${i}`));
      const blobs = await BlobStore.open(join(options.directory, 'blobs'));
      return new Store(options, path, threads, blobs);
    } catch (error) {
      await Promise.all(threads.map((thread) => thread.close()));
      throw error;
    }
  }

  /**
   * Runs one operation. A write is on disk when this resolves. Waits out other
   * processes' locks by the retry policy, never past the context's deadline.
   *
   * @throws DomainErrors of the operation; TimeoutError, CancelledError (the
   *   context's reason); RetryExhaustedError, OverloadError, DiskFullError
   */
  async run<Input, Output>(
    ctx: RequestContext,
    operation: Operation<Input, Output>,
    input: Input,
  ): Promise<Output> {
    const call = { operation: operation.name, input };
    const lane = this.#laneOf(operation);
    const output = await this.#underRetry(ctx, operation.name, () =>
      lane.run(ctx, call, operation),
    );
    return output as Output;
  }

  /**
   * As `run`, for many inputs that came together, each with an outcome of its own: they
   * share what a call costs beside its statements, and run in their order.
   *
   * @throws what ends all of them: TimeoutError, RetryExhaustedError, ShuttingDownError
   */
  async runEach<Input, Output>(
    ctx: RequestContext,
    operation: Operation<Input, Output>,
    inputs: readonly Input[],
  ): Promise<Settled<Output>[]> {
    const calls = inputs.map((input) => ({ operation: operation.name, input }));
    const lane = this.#laneOf(operation);
    const outcomes = await this.#underRetry(ctx, operation.name, async () => {
      const all = await lane.runEach(ctx, calls, operation);
      const settled = all.map(settledOf);
      const [first] = settled;
      // Where one could be done, it must not be done again.
      const isLocked = settled.every((one) => !one.ok && isRetryableError(one.error));
      if (isLocked && first && !first.ok) throw first.error;
      return settled;
    });
    return outcomes as Settled<Output>[];
  }

  #laneOf({ access }: { access: 'read' | 'write' }): Lane {
    return access === 'write' ? this.#writes : this.#reads;
  }

  async #underRetry<T>(ctx: RequestContext, operation: string, attempt: () => Promise<T>) {
    const { metrics, retry } = this.options;
    const startedAt = performance.now();
    const ended = (outcome: 'ok' | 'timeout' | 'error') => {
      const seconds = (performance.now() - startedAt) / 1000;
      metrics.databaseOperationSeconds.observe(operation, outcome, seconds);
    };
    let lockWait = noTimer;
    try {
      const output = await executeWithRetry(ctx, retry, attempt, {
        operation,
        isRetryable: isRetryableError,
        onRetry: () => {
          metrics.databaseRetries.inc();
          if (lockWait === noTimer) lockWait = metrics.databaseLockWaitSeconds.startTimer();
        },
      });
      ended('ok');
      return output;
    } catch (error) {
      if (error instanceof TimeoutError) metrics.databaseTimeouts.inc();
      ended(error instanceof TimeoutError ? 'timeout' : 'error');
      throw error;
    } finally {
      lockWait();
    }
  }

  /** `listener` is called after each group of writes; for as long as the store lives. */
  onWrite(listener: () => void): void {
    this.#onWrite.push(listener);
  }

  /** A checked copy of the database as it is now, made while work goes on. */
  copy(ctx: RequestContext): Promise<DatabaseCopy> {
    return copyDatabase(ctx, this.databasePath, this.blobs.temporaryPath());
  }

  /** Bytes of the database with its write-ahead log, and bytes free beside them. */
  async space(): Promise<{ databaseBytes: number; diskFreeBytes: number }> {
    const [database, log, { bavail, bsize }] = await Promise.all([
      stat(this.databasePath),
      walBytes(this.databasePath),
      statfs(this.options.directory),
    ]);
    return { databaseBytes: database.size + log, diskFreeBytes: bavail * bsize };
  }

  /** Runs what was taken, then closes every connection. Idempotent. */
  async close(): Promise<void> {
    // The writer last: with the last connection SQLite brings the log home.
    await Promise.all([this.#reads.close(), this.#checkpoints.stop()]);
    await this.#writes.close();
  }
}

function makeFolder(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw new UserError(
      `data.directory ${directory} cannot be made: ${messageOf(error)}: choose another, or mend its permissions`,
    );
  }
}
