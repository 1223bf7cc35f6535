import type { BlobPlace } from '../ops/blobs/find-blobs.js';
import { entryBytes, headerBytes } from '../ops/blobs/place-blobs.js';
import type { Packs } from './depot.js';
import { readBlob, readHeader } from './entry.js';
import { mapAtOnce } from './map-at-once.js';

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

type Reader = Pick<Packs, 'read' | 'readsAtOnce' | 'triesOfDamaged'>;

/**
 * Blobs of packs, in the order of `places`: those that follow each other are read at once.
 * Undefined where a pack has not what the place says.
 */
export async function readEntries(
  packs: Reader,
  places: readonly PackPlace[],
): Promise<(Buffer | undefined)[]> {
  const blobs: (Buffer | undefined)[] = places.map(() => undefined);
  await mapAtOnce(stretchesOf(places), packs.readsAtOnce, async (stretch) => {
    const { packId, from, to, indexes } = stretch;
    let missing = indexes;
    for (let tries = 0; tries < packs.triesOfDamaged && missing.length > 0; tries++) {
      const bytes = await packs.read(packId, from, to - from);
      for (const index of missing) {
        const { sha256, position } = places[index] as PackPlace;
        const isIt = readHeader(bytes, position - from)?.sha256 === sha256;
        blobs[index] = isIt ? readBlob(bytes, position - from) : undefined;
      }
      missing = bytes.length === 0 ? [] : missing.filter((index) => !blobs[index]);
    }
  });
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

/** Bytes read at once when a pack is gone through. */
const windowBytes = 2 ** 20;

/** An entry found in a pack. */
export interface FoundEntry {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly position: number;
  /** Undefined: the checksum does not fit. */
  readonly blob: Buffer | undefined;
}

/**
 * The entries of a pack, some at a time. Ends early where no entry begins, or one is cut; the
 * last slice says how far it came.
 */
export async function* entriesOf(
  packs: Reader,
  id: number,
  { from, to }: { from: number; to: number },
): AsyncGenerator<{ found: FoundEntry[]; end: number }> {
  for (let at = from; at < to; ) {
    let found = await entriesFrom(packs, id, { at, to });
    for (let tries = 1; tries < packs.triesOfDamaged && !areWhole(found); tries++) {
      found = await entriesFrom(packs, id, { at, to });
    }
    const last = found.at(-1);
    const end = last ? last.position + entryBytes(last.sizeBytes) : at;
    yield { found, end };
    if (end === at) return;
    at = end;
  }
}

const areWhole = (found: readonly FoundEntry[]): boolean =>
  found.length > 0 && found.every(({ blob }) => blob !== undefined);

async function entriesFrom(
  packs: Reader,
  id: number,
  { at, to }: { at: number; to: number },
): Promise<FoundEntry[]> {
  let bytes = await packs.read(id, at, Math.min(windowBytes, to - at));
  const first = readHeader(bytes, 0);
  if (first && entryBytes(first.sizeBytes) > bytes.length) {
    bytes = await packs.read(id, at, Math.min(entryBytes(first.sizeBytes), to - at));
  }
  return entriesIn(bytes, at);
}

function entriesIn(bytes: Buffer, startsAt: number): FoundEntry[] {
  const found: FoundEntry[] = [];
  for (let at = 0; at + headerBytes <= bytes.length; ) {
    const header = readHeader(bytes, at);
    if (!header || at + entryBytes(header.sizeBytes) > bytes.length) break;
    found.push({ ...header, position: startsAt + at, blob: readBlob(bytes, at) });
    at += entryBytes(header.sizeBytes);
  }
  return found;
}
