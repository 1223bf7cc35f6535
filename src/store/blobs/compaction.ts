import type { BlobPlace } from '../ops/blobs/find-blobs.js';
import { findBlobs } from '../ops/blobs/find-blobs.js';
import { loseBlob } from '../ops/blobs/lose-blob.js';
import { type MovedBlob, moveBlobs } from '../ops/blobs/move-blobs.js';
import type { PackRow } from '../ops/blobs/packs.js';
import type { PlacedBlob } from '../ops/blobs/place-blobs.js';
import type { Appender, Packs } from './depot.js';
import { entriesOf, type FoundEntry } from './reading.js';
import type { RunOperation } from './run-operation.js';

/** Entries looked up in the database at once. */
const lookedUpAtOnce = 256;

export interface CompactionParts {
  readonly packs: Packs;
  readonly appender: Appender;
  readonly run: RunOperation;
}

/**
 * Copies the entries of a pack that rows refer to into the newest pack, and lets the rows
 * refer to the copies: those are on disk first. Stopped half way, it goes on another time.
 * What follows a damaged header is not found, and stays where it is.
 */
export async function emptyPack(
  parts: CompactionParts,
  { id, size_bytes }: PackRow,
  signal: AbortSignal,
): Promise<void> {
  for await (const { found } of entriesOf(parts.packs, id, { from: 0, to: size_bytes })) {
    for (let at = 0; at < found.length; at += lookedUpAtOnce) {
      if (signal.aborted) return;
      await moveLive(parts, id, found.slice(at, at + lookedUpAtOnce));
    }
  }
}

async function moveLive(
  { appender, run }: CompactionParts,
  packId: number,
  found: readonly FoundEntry[],
): Promise<void> {
  const places = await run(
    findBlobs,
    found.map(({ sha256 }) => sha256),
  );
  const bySha256 = new Map(places.map((place) => [place.sha256, place]));
  const isLive = ({ sha256, position }: FoundEntry) => {
    const place = bySha256.get(sha256);
    return place?.pack_id === packId && place.position === position;
  };
  const live = found.filter(isLive);
  for (const entry of live) if (!entry.blob) await run(loseBlob, placeOf(packId, entry));
  const whole = live.flatMap(({ sha256, blob }) => (blob ? [{ sha256, bytes: blob }] : []));
  if (whole.length === 0) return;
  const { placed, release } = await appender.append(whole);
  try {
    const positions = new Map(live.map(({ sha256, position }) => [sha256, position]));
    const moved = placed.map((to: PlacedBlob): MovedBlob => {
      return { to, from: { packId, position: positions.get(to.sha256) as number } };
    });
    await run(moveBlobs, moved);
  } finally {
    release();
  }
}

const placeOf = (packId: number, entry: FoundEntry): BlobPlace => ({
  sha256: entry.sha256,
  size_bytes: entry.sizeBytes,
  pack_id: packId,
  position: entry.position,
});
