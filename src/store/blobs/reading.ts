import type { BlobPlace } from '../ops/blobs/find-blobs.js';
import { entryBytes } from '../ops/blobs/place-blobs.js';
import { readBlob, readHeader } from './entry.js';
import type { PackFiles } from './pack-files.js';

/** Entries of one pack, near each other: read at once. */
interface Stretch {
  readonly packId: number;
  readonly from: number;
  to: number;
  /** Where in the list they are. */
  readonly indexes: number[];
}

/** Bytes between two entries that are rather read than skipped. */
const widestGapBytes = 64 * 1024;
const longestStretchBytes = 2 ** 20;

/** As `BlobPlace`, in a pack. */
export interface PackPlace extends BlobPlace {
  readonly pack_id: number;
  readonly position: number;
}

export const isInPack = (place: BlobPlace): place is PackPlace => place.pack_id !== null;

/**
 * Blobs of packs, in the order of `places`: those that follow each other are read at once.
 * Undefined where a pack has not what the place says.
 */
export async function readEntries(
  files: PackFiles,
  places: readonly PackPlace[],
): Promise<(Buffer | undefined)[]> {
  const blobs: (Buffer | undefined)[] = places.map(() => undefined);
  for (const { packId, from, to, indexes } of stretchesOf(places)) {
    const bytes = await files.read(packId, from, to - from);
    for (const index of indexes) {
      const { sha256, position } = places[index] as PackPlace;
      const isIt = readHeader(bytes, position - from)?.sha256 === sha256;
      blobs[index] = isIt ? readBlob(bytes, position - from) : undefined;
    }
  }
  return blobs;
}

function stretchesOf(places: readonly PackPlace[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const [index, { pack_id: packId, position, size_bytes }] of places.entries()) {
    const end = position + entryBytes(size_bytes);
    const last = stretches.at(-1);
    const follows =
      last?.packId === packId &&
      position >= last.to &&
      position - last.to <= widestGapBytes &&
      end - last.from <= longestStretchBytes;
    if (last && follows) {
      last.to = end;
      last.indexes.push(index);
    } else {
      stretches.push({ packId, from: position, to: end, indexes: [index] });
    }
  }
  return stretches;
}
