import { join } from 'node:path';
import { systemClock } from '../core/clock.js';
import type { RequestContext } from '../core/context.js';
import { messageOf, UserError } from '../core/errors.js';
import { makeFolder } from '../core/folders.js';
import { describeTrouble } from '../core/system-trouble.js';
import { BlobStore } from './blobs.js';
import type { Operation } from './operation.js';
import { Room } from './room.js';
import type { Store, StoreOptions } from './store.js';
import { UnfinishedUploads, usualUnfinished } from './unfinished.js';

/*
 * What a store keeps in its folder beside the database, whatever the engine.
 */

/** @throws UserError */
export async function makeDataFolder(directory: string): Promise<void> {
  try {
    await makeFolder(directory);
  } catch (error) {
    throw new UserError(`data.directory: ${describeTrouble(error) ?? messageOf(error)}`);
  }
}

/** The folder's disk, with its reserve given up where it is full. */
export async function openRoom({ directory, leastFreeBytes, log }: StoreOptions): Promise<Room> {
  const room = new Room(directory, leastFreeBytes ?? 0);
  // The log of a killed master is read with its index anew, which takes space.
  const done = await room.adjust();
  if (done === 'released') log.warn('disk full: reserve released');
  return room;
}

/** After the database is this master's: it removes what is left of uploads. */
export function openUnfinished(options: StoreOptions): Promise<UnfinishedUploads> {
  const { directory, maxUnfinishedBytes: bytes = usualUnfinished.bytes } = options;
  return UnfinishedUploads.open({
    folder: join(directory, 'uploads'),
    limits: { ...usualUnfinished, bytes },
    clock: systemClock,
  });
}

/** Notes that a blob was not found (ops/blobs/lose-blob.ts). */
const losing = 'lose_blob';

/** The blobs of a store that is being made; its engine opens them. */
export const blobsOf = (options: StoreOptions, store: Pick<Store, 'run' | 'cluster'>): BlobStore =>
  new BlobStore({
    directory: join(options.directory, 'blobs'),
    log: options.log,
    largestPackBytes: options.largestPackBytes,
    async run<Input, Output>(
      ctx: RequestContext,
      operation: Operation<Input, Output>,
      input: Input,
    ): Promise<Output> {
      // In a cluster, a blob that is not in this master's folder may be in another one's.
      if (store.cluster && operation.name === losing) return undefined as Output;
      return store.run(ctx, operation, input);
    },
    onLost: (blobs) => options.metrics.blobsLost.inc(blobs),
  });

/** The store, once its blobs are ready. */
export async function withBlobs<Opened extends Store>(store: Opened): Promise<Opened> {
  try {
    await store.blobs.open();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}
