import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RequestContext } from '../../core/context.js';
import type { BlobStore } from '../blobs.js';
import type { Settled } from '../call.js';
import { Executor } from '../executor.js';
import { blobsOf, makeDataFolder, openRoom, openUnfinished, withBlobs } from '../folder.js';
import { Lane } from '../lane.js';
import { type Operation, urgencies } from '../operation.js';
import type { Room } from '../room.js';
import type { DatabaseCopy, Store, StoreOptions } from '../store.js';
import type { UnfinishedUploads } from '../unfinished.js';
import { Witness } from '../witness.js';
import { copyDatabase } from './backup.js';
import { Checkpoints, walBytes } from './checkpoints.js';
import { type ConnectionOptions, usualMaxLogBytes } from './connection.js';
import { isRetryableError } from './faults.js';
import { type Connect, type Connection, DatabaseThread } from './thread.js';

/** Most calls in one transaction: keeps a group's commit well below any deadline. */
const largestGroup = 128;
/** Costs of the reads that a thread takes at once: few pages, so that they delay little beside them. */
const readsAtOnce = 32;

interface Parts {
  readonly options: StoreOptions;
  readonly databasePath: string;
  readonly writer: Connection;
  readonly checkpointer: Connection;
  readonly readers: readonly Connection[];
  readonly unfinished: UnfinishedUploads;
  readonly room: Room;
}

/** The writer first: it takes ownership and brings the schema up to date. */
async function connectAll(options: StoreOptions, path: string, connect: Connect) {
  const { synchronous, maxLogBytes, onFailure } = options;
  const start = (access: ConnectionOptions['access'], name: string) =>
    connect({ path, access, synchronous, maxLogBytes }, name, onFailure);
  const writer = await start('write', 'writer');
  const others = [start('upkeep', 'checkpointer')];
  for (let i = 1; i <= options.readers; i++) others.push(start('read', `reader ${i}`));
  const settled = await Promise.allSettled(others);
  const started = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed) {
    await closeAll([...started, writer]);
    throw failed.reason;
  }
  const [checkpointer, ...readers] = started as [Connection, ...Connection[]];
  return { writer, checkpointer, readers };
}

async function closeAll(connections: readonly Connection[]): Promise<void> {
  for (const connection of connections) await connection.close();
}

/**
 * The store in one SQLite file of this process. No lock anywhere: writes go in order
 * through one thread, reads run beside it on their own.
 */
export class SqliteStore implements Store {
  readonly blobs: BlobStore;
  readonly unfinished: UnfinishedUploads;
  readonly witness: Witness;
  readonly room: Room;
  readonly #databasePath: string;
  readonly #writes: Lane<Connection>;
  readonly #reads: Lane<Connection>;
  readonly #executor: Executor;
  readonly #checkpoints: Checkpoints;
  readonly #onWrite: (() => void)[] = [];

  private constructor(parts: Parts) {
    const { options, databasePath, writer, checkpointer, readers } = parts;
    this.unfinished = parts.unfinished;
    this.blobs = blobsOf(options, this);
    this.witness = new Witness(options.directory);
    this.room = parts.room;
    this.#databasePath = databasePath;
    const { metrics, log, retry, checkpointIntervalMs: intervalMs } = options;
    const took = metrics.databaseTransactionSeconds;
    this.#writes = new Lane([writer], {
      maxQueued: options.maxQueuedWrites,
      quota: 'database.max_queued_writes',
      groupSize: largestGroup,
      onGroup: (calls, durationMs) => {
        metrics.databaseGroupSize.observe(calls);
        took.observe({ access: 'write' }, durationMs / 1000);
        this.#checkpoints.wrote();
        for (const listener of this.#onWrite) listener();
      },
    });
    this.#reads = new Lane(readers, {
      maxQueued: options.maxQueuedReads,
      quota: 'database.max_queued_reads',
      groupSize: readsAtOnce,
      onBusyChange: (busy) => metrics.concurrentReaders.set(busy),
      onGroup: (_, durationMs) => took.observe({ access: 'read' }, durationMs / 1000),
    });
    const lanes = { reads: this.#reads, writes: this.#writes };
    this.#executor = new Executor({ ...lanes, retry, isRetryable: isRetryableError, metrics });
    this.#checkpoints = new Checkpoints({
      thread: checkpointer,
      writes: this.#writes,
      intervalMs,
      maxLogBytes: options.maxLogBytes ?? usualMaxLogBytes,
      logBytes: () => walBytes(databasePath),
      metrics,
      log,
    });
    metrics.watchStore({
      queued: () => urgencies.map((urgency) => [urgency, this.#writes.depthOf(urgency)]),
      walBytes: () => walBytes(databasePath),
    });
    this.#checkpoints.start();
  }

  /**
   * @param connect a connection of a thread of its own, where nothing else is wanted
   * @throws UserError when the folder or the database cannot be used
   */
  static async open(options: StoreOptions, connect: Connect = DatabaseThread.start) {
    await makeDataFolder(options.directory);
    const room = await openRoom(options);
    const databasePath = join(options.directory, 'pandafuzz.db');
    const connections = await connectAll(options, databasePath, connect);
    let store: SqliteStore;
    try {
      const unfinished = await openUnfinished(options);
      store = new SqliteStore({ options, databasePath, unfinished, room, ...connections });
    } catch (error) {
      await closeAll([connections.checkpointer, ...connections.readers, connections.writer]);
      throw error;
    }
    return withBlobs(store);
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

  async copy(ctx: RequestContext): Promise<DatabaseCopy> {
    const { databaseBytes } = await this.space();
    await this.room.expect(databaseBytes, 'new');
    return copyDatabase(ctx, this.#databasePath, this.blobs.temporaryPath());
  }

  async space(): Promise<{ databaseBytes: number; diskFreeBytes: number }> {
    const [database, log, diskFreeBytes] = await Promise.all([
      stat(this.#databasePath),
      walBytes(this.#databasePath),
      this.room.free(),
    ]);
    return { databaseBytes: database.size + log, diskFreeBytes };
  }

  async close(): Promise<void> {
    await this.blobs.close();
    // The writer last: SQLite empties the log as the last connection closes.
    await Promise.all([this.#reads.close(), this.#checkpoints.stop()]);
    await this.#writes.close();
  }
}
