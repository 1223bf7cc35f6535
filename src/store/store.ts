import { mkdirSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { RequestContext } from '../core/context.js';
import { messageOf, TimeoutError, UserError } from '../core/errors.js';
import { executeWithRetry, type RetryPolicy } from '../core/retry.js';
import type { Metrics } from '../metrics.js';
import { BlobStore } from './blobs.js';
import { isRetryableError } from './faults.js';
import { Lane } from './lane.js';
import type { Operation } from './operation.js';
import { DatabaseThread } from './thread.js';

export interface StoreOptions {
  /** Folder of the database and the blobs; made if it is missing. */
  readonly directory: string;
  readonly synchronous: 'full' | 'normal';
  /** Reader threads. */
  readonly readers: number;
  readonly maxQueuedWrites: number;
  readonly maxQueuedReads: number;
  readonly retry: RetryPolicy;
  readonly metrics: Metrics;
  /** Called when a database thread dies: the store is of no use any more. */
  readonly onFailure: (error: Error) => void;
}

/** Most calls in one transaction: keeps a group's commit well below any deadline. */
const largestGroup = 512;
/** Reads a thread takes at once: few, so that a slow page delays little beside it. */
const readsAtOnce = 4;

/**
 * The one way to the database from the main thread: named operations, as
 * promises, under the caller's deadline. No lock anywhere: writes go in order
 * through one thread, reads run beside it on their own.
 */
export class Store {
  private constructor(
    private readonly options: StoreOptions,
    private readonly databasePath: string,
    private readonly writes: Lane,
    private readonly reads: Lane,
    /** Files kept by their content. */
    readonly blobs: BlobStore,
  ) {}

  /** @throws UserError when the folder or the database cannot be used */
  static async open(options: StoreOptions): Promise<Store> {
    makeFolder(options.directory);
    const path = join(options.directory, 'pandafuzz.db');
    const start = (access: 'read' | 'write', name: string) =>
      DatabaseThread.start(
        { path, access, synchronous: options.synchronous },
        name,
        options.onFailure,
      );
    // The writer first: it takes ownership and brings the schema up to date.
    const writer = await start('write', 'writer');
    const started = await Promise.allSettled(
      Array.from({ length: options.readers }, (_, i) => start('read', `reader ${i + 1}`)),
    );
    const readers = started.flatMap((reader) =>
      reader.status === 'fulfilled' ? [reader.value] : [],
    );
    const failed = started.find((reader) => reader.status === 'rejected');
    try {
      if (failed) throw failed.reason;
      const blobs = await BlobStore.open(join(options.directory, 'blobs'));
      return new Store(
        options,
        path,
        new Lane([writer], { maxQueued: options.maxQueuedWrites, groupSize: largestGroup }),
        new Lane(readers, {
          maxQueued: options.maxQueuedReads,
          groupSize: readsAtOnce,
          onBusyChange: (busy) => options.metrics.concurrentReaders.set(busy),
        }),
        blobs,
      );
    } catch (error) {
      await Promise.all([writer, ...readers].map((thread) => thread.close()));
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
    const { metrics, retry } = this.options;
    const lane = operation.access === 'write' ? this.writes : this.reads;
    const stop = metrics.databaseOperationSeconds.startTimer({ operation: operation.name });
    try {
      const output = await executeWithRetry(
        ctx,
        retry,
        () => lane.run(ctx, { operation: operation.name, input }),
        {
          operation: operation.name,
          isRetryable: isRetryableError,
          onRetry: () => metrics.databaseRetries.inc(),
        },
      );
      stop({ outcome: 'ok' });
      return output as Output;
    } catch (error) {
      if (error instanceof TimeoutError) metrics.databaseTimeouts.inc();
      stop({ outcome: error instanceof TimeoutError ? 'timeout' : 'error' });
      throw error;
    } finally {
      metrics.queuedWrites.set(this.writes.queued);
    }
  }

  /** Bytes of the database with its write-ahead log, and bytes free beside them. */
  async space(): Promise<{ databaseBytes: number; diskFreeBytes: number }> {
    const sizes = [this.databasePath, `${this.databasePath}-wal`].map(async (path) => {
      return (await stat(path).catch(() => undefined))?.size ?? 0;
    });
    const { bavail, bsize } = await statfs(this.options.directory);
    const [database = 0, log = 0] = await Promise.all(sizes);
    return { databaseBytes: database + log, diskFreeBytes: bavail * bsize };
  }

  /** Runs what was taken, then closes every connection. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.reads.close(), this.writes.close()]);
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
