import type { RequestContext } from '../core/context.js';
import type { Logger } from '../core/log.js';
import type { RetryPolicy } from '../core/retry.js';
import type { Metrics } from '../metrics.js';
import type { BlobStore } from './blobs.js';
import type { Settled } from './call.js';
import type { Cluster, ClusterOptions } from './cluster.js';
import type { Operation } from './operation.js';
import type { Room } from './room.js';
import type { UnfinishedUploads } from './unfinished.js';
import type { Witness } from './witness.js';

export type { Settled } from './call.js';

export interface StoreOptions {
  /** Folder of the blobs, and of the database where it has no url; made if it is missing. */
  readonly directory: string;
  /** postgres://…; absent or empty: SQLite, in `directory`. */
  readonly url?: string;
  /** Of a master that shares the database of `url` with others; absent: it is alone. */
  readonly cluster?: ClusterOptions | undefined;
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
  /** Size from which a pack of small blobs gets no more of them, bytes; usually 64 MiB. */
  readonly largestPackBytes?: number;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Bytes of unfinished uploads that are kept; usually 4 GiB. */
  readonly maxUnfinishedBytes?: number;
  /** Free space below which new things are refused; usually 0. */
  readonly leastFreeBytes?: number;
  /** Called when a database thread dies: the store is of no use any more. */
  readonly onFailure: (error: Error) => void;
}

/** A copy of the database in a file, gone after `remove`. */
export interface DatabaseCopy {
  readonly sizeBytes: number;
  readonly sha256: string;
  read(chunkBytes: number): AsyncIterable<Buffer>;
  remove(): Promise<void>;
}

/**
 * The rules' one way to the database: named operations, as promises, under the caller's
 * deadline. Rules know this and the operations, never an engine.
 */
export interface Store {
  /** Files kept by their content. */
  readonly blobs: BlobStore;
  /** Uploads that may go on where they broke off. */
  readonly unfinished: UnfinishedUploads;
  /** Free space of the data folder's disk. */
  readonly room: Room;
  /** How far the database had come, in a file of its own. */
  readonly witness: Witness;
  /** The masters that share the database; undefined: it is this one's alone. */
  readonly cluster: Cluster | undefined;

  /**
   * Runs one operation. A write is on disk when this resolves. Waits out other processes'
   * locks by the retry policy, never past the context's deadline.
   *
   * @throws DomainErrors of the operation; TimeoutError, CancelledError (the
   *   context's reason); RetryExhaustedError, OverloadError, DiskFullError
   */
  run<Input, Output>(
    ctx: RequestContext,
    operation: Operation<Input, Output>,
    input: Input,
  ): Promise<Output>;

  /**
   * As `run`, for many inputs that came together, each with an outcome of its own: they
   * share what a call costs beside its statements, and run in their order.
   *
   * @throws what ends all of them: TimeoutError, RetryExhaustedError, ShuttingDownError
   */
  runEach<Input, Output>(
    ctx: RequestContext,
    operation: Operation<Input, Output>,
    inputs: readonly Input[],
  ): Promise<Settled<Output>[]>;

  /**
   * `listener` is called after each group of writes, whichever master wrote it; for as long as
   * the store lives.
   */
  onWrite(listener: () => void): void;

  /**
   * A checked copy of the database as it is now, made while work goes on.
   *
   * @throws PreconditionError where the engine has a backup of its own
   */
  copy(ctx: RequestContext): Promise<DatabaseCopy>;

  /** Bytes of the database with its log, and bytes free beside them. */
  space(): Promise<{ databaseBytes: number; diskFreeBytes: number }>;

  /** Runs what was taken, then closes every connection. Idempotent. */
  close(): Promise<void>;
}

export const Store = {
  /**
   * An engine is loaded where it is used.
   *
   * @throws UserError when the folder or the database cannot be used
   */
  async open(options: StoreOptions): Promise<Store> {
    if (options.url) {
      const { PostgresStore } = await import('./postgres/store.js');
      return PostgresStore.open({ ...options, url: options.url });
    }
    const { SqliteStore } = await import('./sqlite/store.js');
    return SqliteStore.open(options);
  },
};
