import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RequestContext } from '../../core/context.js';
import { makeDataFolder, openRoom, openUnfinished, withBlobs } from '../folder.js';
import { LaneStore } from '../lane-store.js';
import type { Room } from '../room.js';
import type { DatabaseCopy, StoreOptions } from '../store.js';
import type { UnfinishedUploads } from '../unfinished.js';
import { copyDatabase } from './backup.js';
import { Checkpoints, walBytes } from './checkpoints.js';
import { type ConnectionOptions, usualMaxLogBytes } from './connection.js';
import { isRetryableError } from './faults.js';
import { type Connect, type Connection, DatabaseThread } from './thread.js';

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
export class SqliteStore extends LaneStore<Connection, Connection> {
  readonly #databasePath: string;
  readonly #checkpoints: Checkpoints;

  private constructor(parts: Parts) {
    super({ ...parts, isRetryable: isRetryableError });
    const { options, databasePath, checkpointer: thread } = parts;
    this.#databasePath = databasePath;
    const { metrics, log, checkpointIntervalMs: intervalMs } = options;
    this.#checkpoints = new Checkpoints({
      thread,
      writes: this.writes,
      intervalMs,
      maxLogBytes: options.maxLogBytes ?? usualMaxLogBytes,
      logBytes: () => walBytes(databasePath),
      metrics,
      log,
    });
    this.onWrite(() => this.#checkpoints.wrote());
    metrics.watchStore({ queued: () => this.queued(), walBytes: () => walBytes(databasePath) });
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
    await Promise.all([this.reads.close(), this.#checkpoints.stop()]);
    await this.writes.close();
  }
}
