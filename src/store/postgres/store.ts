import { systemClock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { PreconditionError } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
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
import { claimFolder } from './data-folder.js';
import { isRetryableError } from './faults.js';
import { Reader } from './reader.js';
import { inWords, Writer } from './writer.js';

export interface PostgresOptions extends StoreOptions {
  readonly url: string;
  /** Calls from which one statement is taken for all of them (sets/); for tests. */
  readonly leastOfSet?: number | undefined;
}

/** Most calls in one transaction: keeps a group's time well below any deadline. */
const largestGroup = 128;
/** Costs of the reads that share one view: few pages, so that they delay little beside them. */
const readsAtOnce = 32;

interface Parts {
  readonly writer: Writer;
  readonly readers: readonly Reader[];
  readonly room: Room;
  readonly unfinished: UnfinishedUploads;
}

/** Takes the database, then opens what reads it. */
async function connectAll(options: PostgresOptions) {
  const { url, synchronous, log, onFailure, leastOfSet } = options;
  const instance = newId();
  const clock = systemClock;
  const writer = await Writer.open({
    ...{ url, synchronous, instance, clock, log, onFailure, leastOfSet },
  });
  const readers: Reader[] = [];
  try {
    await claimFolder(options.directory, await writer.databaseId());
    for (let i = 1; i <= options.readers; i++) {
      readers.push(await Reader.open({ url, synchronous, name: `pandafuzz reader ${i}` }));
    }
    return { writer, readers };
  } catch (error) {
    await closeAll({ writer, readers });
    throw error;
  }
}

async function closeAll({ writer, readers }: Pick<Parts, 'writer' | 'readers'>): Promise<void> {
  await Promise.all(readers.map((reader) => reader.close()));
  await writer.close();
}

/**
 * The store in a PostgreSQL database that is this master's alone. Writes go in order through
 * one session, which has the database's lock; reads run beside it on their own.
 */
export class PostgresStore implements Store {
  readonly blobs: BlobStore;
  readonly unfinished: UnfinishedUploads;
  readonly witness: Witness;
  readonly room: Room;
  readonly #writer: Writer;
  readonly #writes: Lane<Writer>;
  readonly #reads: Lane<Reader>;
  readonly #executor: Executor;
  readonly #onWrite: (() => void)[] = [];

  private constructor(options: PostgresOptions, parts: Parts) {
    this.#writer = parts.writer;
    this.room = parts.room;
    this.unfinished = parts.unfinished;
    this.witness = new Witness(options.directory);
    this.blobs = blobsOf(options, this);
    const { metrics, retry } = options;
    const took = metrics.databaseTransactionSeconds;
    this.#writes = new Lane([parts.writer], {
      maxQueued: options.maxQueuedWrites,
      groupSize: largestGroup,
      onGroup: (calls, durationMs) => {
        metrics.databaseGroupSize.observe(calls);
        took.observe({ access: 'write' }, durationMs / 1000);
        for (const listener of this.#onWrite) listener();
      },
    });
    this.#reads = new Lane(parts.readers, {
      maxQueued: options.maxQueuedReads,
      groupSize: readsAtOnce,
      onBusyChange: (busy) => metrics.concurrentReaders.set(busy),
      onGroup: (_, durationMs) => took.observe({ access: 'read' }, durationMs / 1000),
    });
    const lanes = { reads: this.#reads, writes: this.#writes };
    this.#executor = new Executor({ ...lanes, retry, isRetryable: isRetryableError, metrics });
    metrics.watchStore({
      queued: () => urgencies.map((urgency) => [urgency, this.#writes.depthOf(urgency)]),
    });
  }

  /** @throws UserError when the folder or the database cannot be used */
  static async open(options: PostgresOptions): Promise<PostgresStore> {
    await makeDataFolder(options.directory);
    const room = await openRoom(options);
    const connections = await connectAll(options).catch((error) => {
      throw inWords(error);
    });
    let store: PostgresStore;
    try {
      const unfinished = await openUnfinished(options);
      store = new PostgresStore(options, { ...connections, room, unfinished });
    } catch (error) {
      await closeAll(connections);
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

  copy(): Promise<DatabaseCopy> {
    const why =
      'this master keeps its records in PostgreSQL: back that up with its own tools (pg_dump, pg_basebackup), and the blobs as files';
    return Promise.reject(new PreconditionError({ reason: 'OTHER_DATABASE', why }));
  }

  async space(): Promise<{ databaseBytes: number; diskFreeBytes: number }> {
    const [databaseBytes, diskFreeBytes] = await Promise.all([
      this.#databaseBytes(),
      this.room.free(),
    ]);
    return { databaseBytes, diskFreeBytes };
  }

  async close(): Promise<void> {
    this.#writer.stopWaiting();
    await this.blobs.close();
    await this.#reads.close();
    await this.#writes.close();
  }

  #databaseBytes(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#reads.between((reader) => reader.databaseBytes().then(resolve, reject));
    });
  }
}
