import type { BlobBatch, BlobStore } from '../../src/store/blobs.js';
import type { Room } from '../../src/store/room.js';
import type { Store } from '../../src/store/store.js';
import type { UnfinishedUploads } from '../../src/store/unfinished.js';
import type { Witness } from '../../src/store/witness.js';
import type { Disk } from './disk.js';

/**
 * What the store has beside its database, as far as the rules use it here: blobs that are
 * durable once their batch is settled, a disk with room, and the file of the epoch.
 */
export function besides(disk: Disk): Pick<Store, 'blobs' | 'unfinished' | 'room' | 'witness'> {
  const blobs: Pick<BlobStore, 'batch' | 'sweep'> = {
    batch: () => batchOf(disk) as BlobBatch,
    sweep: async () => ({ blobs: 0, bytes: 0, damagedPacks: [] }),
  };
  const room: Pick<Room, 'free' | 'expect' | 'adjust'> = {
    free: async () => 2 ** 40,
    expect: async () => {},
    adjust: async () => undefined,
  };
  const witness: Pick<Witness, 'read' | 'write'> = {
    read: async () => disk.seen,
    write: async (seen) => {
      disk.seen = seen;
    },
  };
  const unfinished: Pick<UnfinishedUploads, 'sweep'> = { sweep: async () => {} };
  return {
    blobs: blobs as BlobStore,
    room: room as Room,
    witness: witness as Witness,
    unfinished: unfinished as UnfinishedUploads,
  };
}

function batchOf(disk: Disk): Pick<BlobBatch, 'add' | 'settle' | 'end'> {
  const gathered = new Map<string, number>();
  return {
    async add(_, { sha256 }, chunks) {
      let bytes = 0;
      for await (const chunk of chunks) bytes += chunk.length;
      gathered.set(sha256, bytes);
    },
    async settle() {
      for (const [sha256, bytes] of gathered) disk.blobs.set(sha256, bytes);
      return [];
    },
    end() {},
  };
}
