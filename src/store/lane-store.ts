import type { RequestContext } from '../core/context.js';
import type { BlobStore } from './blobs.js';
import type { Settled } from './call.js';
import type { Cluster } from './cluster.js';
import { Executor } from './executor.js';
import { blobsOf } from './folder.js';
import { Lane, type LaneThread } from './lane.js';
import { type Operation, urgencies } from './operation.js';
import type { Room } from './room.js';
import type { DatabaseCopy, Store, StoreOptions } from './store.js';
import type { UnfinishedUploads } from './unfinished.js';
import { Witness } from './witness.js';

/** Most calls in one transaction: keeps a group's commit well below any deadline. */
const largestGroup = 128;
/** Costs of the reads that a reader takes at once: few pages, so that they delay little beside them. */
const readsAtOnce = 32;

/** What an engine brings to its store. */
export interface LaneStoreParts<Writer, Reader> {
  readonly options: StoreOptions;
  readonly writer: Writer;
  readonly readers: readonly Reader[];
  readonly room: Room;
  readonly unfinished: UnfinishedUploads;
  /** Whether an error says that nothing was done, and that it passes. */
  readonly isRetryable: (error: unknown) => boolean;
  /** What else writes to the database. */
  readonly cluster?: Cluster | undefined;
}

/**
 * What the stores of all engines have: writes in order on one thread or session, reads beside
 * them on others, and the files of the data folder.
 */
export abstract class LaneStore<Writer extends LaneThread, Reader extends LaneThread>
  implements Store
{
  readonly blobs: BlobStore;
  readonly unfinished: UnfinishedUploads;
  readonly witness: Witness;
  readonly room: Room;
  readonly cluster: Cluster | undefined;
  protected readonly writes: Lane<Writer>;
  protected readonly reads: Lane<Reader>;
  readonly #executor: Executor;
  readonly #onWrite: (() => void)[] = [];

  protected constructor(parts: LaneStoreParts<Writer, Reader>) {
    const { options, writer, readers, isRetryable } = parts;
    this.unfinished = parts.unfinished;
    this.room = parts.room;
    this.cluster = parts.cluster;
    this.witness = new Witness(options.directory);
    this.blobs = blobsOf(options, this);
    const { metrics, retry } = options;
    const took = metrics.databaseTransactionSeconds;
    this.writes = new Lane([writer], {
      maxQueued: options.maxQueuedWrites,
      quota: 'database.max_queued_writes',
      groupSize: largestGroup,
      onGroup: (calls, durationMs) => {
        metrics.databaseGroupSize.observe(calls);
        took.observe({ access: 'write' }, durationMs / 1000);
        this.wrote();
      },
    });
    this.reads = new Lane(readers, {
      maxQueued: options.maxQueuedReads,
      quota: 'database.max_queued_reads',
      groupSize: readsAtOnce,
      onBusyChange: (busy) => metrics.concurrentReaders.set(busy),
      onGroup: (_, durationMs) => took.observe({ access: 'read' }, durationMs / 1000),
    });
    const lanes = { reads: this.reads, writes: this.writes };
    this.#executor = new Executor({ ...lanes, retry, isRetryable, metrics });
  }

  run<Input, Output>(
    ctx: RequestContext,
    operation: Operation<Input, Output>,
    input: Input,
  ): Promise<Output> {
    return this.#executor.run(ctx, operation, input);
  }

  runEach<Input, Output>(
    ctx: RequestContext,
    operation: Operation<Input, Output>,
    inputs: readonly Input[],
  ): Promise<Settled<Output>[]> {
    return this.#executor.runEach(ctx, operation, inputs);
  }

  onWrite(listener: () => void): void {
    this.#onWrite.push(listener);
  }

  /** There may be more to read. */
  protected wrote(): void {
    for (const listener of this.#onWrite) listener();
  }

  abstract copy(ctx: RequestContext): Promise<DatabaseCopy>;
  abstract space(): Promise<{ databaseBytes: number; diskFreeBytes: number }>;
  abstract close(): Promise<void>;

  /** Writes that wait, by urgency. */
  protected queued(): (readonly [urgency: string, depth: number])[] {
    return urgencies.map((urgency) => [urgency, this.writes.depthOf(urgency)] as const);
  }
}
