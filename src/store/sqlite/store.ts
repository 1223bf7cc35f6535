import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { messageOf, UserError } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';
import { describeTrouble } from '../../core/system-trouble.js';
import { BlobStore } from '../blobs.js';
import type { Settled } from '../call.js';
import { Executor } from '../executor.js';
import { Lane } from '../lane.js';
import { type Operation, urgencies } from '../operation.js';
import { Room } from '../room.js';
import type { DatabaseCopy, Store, StoreOptions } from '../store.js';
import { UnfinishedUploads, usualUnfinished } from '../unfinished.js';
import { Witness } from '../witness.js';
import { copyDatabase } from './backup.js';
import { Checkpoints, walBytes } from './checkpoints.js';
import { type ConnectionOptions, usualMaxLogBytes } from './connection.js';
import { isRetryableError } from './faults.js';
import { DatabaseThread } from './thread.js';

/** Most calls in one transaction: keeps a group's commit well below any deadline. */
const largestGroup = 128;
/** Costs of the reads that a thread takes at once: few pages, so that they delay little beside them. */
const readsAtOnce = 32;

interface Parts {
  readonly options: StoreOptions;
  readonly databasePath: string;
  readonly writer: DatabaseThread;
  readonly checkpointer: DatabaseThread;
  readonly readers: readonly DatabaseThread[];
  readonly unfinished: UnfinishedUploads;
  readonly room: Room;
}

/** The store, once its blobs are ready. */
async function opened(store: SqliteStore): Promise<SqliteStore> {
  try {
    await store.blobs.open();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
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
  readonly #writes: Lane<DatabaseThread>;
  readonly #reads: Lane<DatabaseThread>;
  readonly #executor: Executor;
  readonly #checkpoints: Checkpoints;
  readonly #onWrite: (() => void)[] = [];

  private constructor(parts: Parts) {
    const { options, databasePath, writer, checkpointer, readers } = parts;
    this.unfinished = parts.unfinished;
    this.blobs = new BlobStore({
      directory: join(options.directory, 'blobs'),
      log: options.log,
      largestPackBytes: options.largestPackBytes,
      run: (ctx, operation, input) => this.run(ctx, operation, input),
      onLost: (blobs) => options.metrics.blobsLost.inc(blobs),
    });
    this.witness = new Witness(options.directory);
    this.room = parts.room;
    this.#databasePath = databasePath;
    const { metrics, log, retry, checkpointIntervalMs: intervalMs } = options;
    const took = metrics.databaseTransactionSeconds;
    this.#writes = new Lane([writer], {
      maxQueued: options.maxQueuedWrites,
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

  /** @throws UserError when the folder or the database cannot be used */
  static async open(options: StoreOptions): Promise<SqliteStore> {
    await makeDataFolder(options.directory);
    const room = new Room(options.directory, options.leastFreeBytes ?? 0);
    // The log of a killed master is read with its index anew, which takes space.
    const done = await room.adjust();
    if (done === 'released') options.log.warn('disk full: reserve released');
    const databasePath = join(options.directory, 'pandafuzz.db');
    const { synchronous, maxLogBytes, onFailure } = options;
    const started: DatabaseThread[] = [];
    const start = async (access: ConnectionOptions['access'], name: string) => {
      const connection = { path: databasePath, access, synchronous, maxLogBytes };
      const thread = await DatabaseThread.start(connection, name, onFailure);
      started.push(thread);
      return thread;
    };
    let store: SqliteStore;
    try {
      // The writer first: it takes ownership and brings the schema up to date.
      await start('write', 'writer');
      await start('upkeep', 'checkpointer');
      for (let i = 1; i <= options.readers; i++) await start('read', `reader ${i}`);
      const { maxUnfinishedBytes: bytes = usualUnfinished.bytes } = options;
      const unfinished = await UnfinishedUploads.open({
        folder: join(options.directory, 'uploads'),
        limits: { ...usualUnfinished, bytes },
        clock: systemClock,
      });
      const [writer, checkpointer, ...readers] = started as [DatabaseThread, DatabaseThread];
      const threads = { writer, checkpointer, readers };
      store = new SqliteStore({ options, databasePath, unfinished, room, ...threads });
    } catch (error) {
      await Promise.all(started.map((thread) => thread.close()));
      throw error;
    }
    return opened(store);
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

async function makeDataFolder(directory: string): Promise<void> {
  try {
    await makeFolder(directory);
  } catch (error) {
    throw new UserError(`data.directory: ${describeTrouble(error) ?? messageOf(error)}`);
  }
}
