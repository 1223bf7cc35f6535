import { systemClock } from '../../core/clock.js';
import { PreconditionError } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { makeDataFolder, openRoom, openUnfinished, withBlobs } from '../folder.js';
import { LaneStore } from '../lane-store.js';
import type { Room } from '../room.js';
import type { DatabaseCopy, StoreOptions } from '../store.js';
import type { UnfinishedUploads } from '../unfinished.js';
import { Member } from './cluster/member.js';
import { beginTurn } from './cluster/turn.js';
import { claimFolder } from './data-folder.js';
import { isRetryableError } from './faults.js';
import { Reader } from './reader.js';
import { inWords, Writer } from './writer.js';

export interface PostgresOptions extends StoreOptions {
  readonly url: string;
  /** Calls from which one statement is taken for all of them (sets/); for tests. */
  readonly leastOfSet?: number | undefined;
}

interface Parts {
  readonly writer: Writer;
  readonly cluster: Member | undefined;
  readonly readers: readonly Reader[];
  readonly room: Room;
  readonly unfinished: UnfinishedUploads;
}

/** Takes the database, then opens what reads it. */
async function connectAll(options: PostgresOptions, onEvents: () => void): Promise<Connections> {
  const { url, synchronous, log, onFailure, leastOfSet } = options;
  const common = { url, synchronous, instance: newId(), clock: systemClock, log };
  let cluster: Member | undefined;
  const setUp = () => (cluster ? beginTurn({ id: cluster.id, shard: cluster.shard }) : []);
  const isShared = options.cluster !== undefined;
  // A master that stands still in its turn must not hold up the others for their TTL.
  const idleTimeoutMs = options.cluster && options.cluster.ttlMs / 2;
  const writer = await Writer.open({
    ...{ ...common, onFailure, leastOfSet, setUp, isShared, idleTimeoutMs },
  });
  const readers: Reader[] = [];
  try {
    if (options.cluster) {
      cluster = await Member.join({ ...common, cluster: options.cluster, onEvents });
    }
    await claimFolder(options.directory, await writer.databaseId());
    for (let i = 1; i <= options.readers; i++) {
      readers.push(await Reader.open({ url, synchronous, name: `pandafuzz reader ${i}` }));
    }
    return { writer, readers, cluster };
  } catch (error) {
    await closeAll({ writer, readers, cluster });
    throw error;
  }
}

type Connections = Pick<Parts, 'writer' | 'readers' | 'cluster'>;

async function closeAll({ writer, readers, cluster }: Connections): Promise<void> {
  await Promise.all(readers.map((reader) => reader.close()));
  await writer.close();
  await cluster?.close();
}

/**
 * The store in a PostgreSQL database. Writes go in order through one session, which has the
 * database's lock, alone or with the other masters of a cluster; reads run beside it on
 * their own.
 */
export class PostgresStore extends LaneStore<Writer, Reader> {
  readonly #writer: Writer;
  readonly #member: Member | undefined;

  private constructor(options: PostgresOptions, parts: Parts) {
    super({ ...parts, options, isRetryable: isRetryableError });
    this.#writer = parts.writer;
    this.#member = parts.cluster;
    options.metrics.watchStore({ queued: () => this.queued() });
  }

  /** @throws UserError when the folder or the database cannot be used */
  static async open(options: PostgresOptions): Promise<PostgresStore> {
    await makeDataFolder(options.directory);
    const room = await openRoom(options);
    let store: PostgresStore | undefined;
    const connections = await connectAll(options, () => store?.wrote()).catch((error) => {
      throw inWords(error);
    });
    try {
      const unfinished = await openUnfinished(options);
      store = new PostgresStore(options, { ...connections, room, unfinished });
    } catch (error) {
      await closeAll(connections);
      throw error;
    }
    return withBlobs(store);
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
    await this.reads.close();
    await this.writes.close();
    // After the last write of its own.
    await this.#member?.close();
  }

  #databaseBytes(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.reads.between((reader) => reader.databaseBytes().then(resolve, reject));
    });
  }
}
