import { greatest } from '../../sql.js';
import { run, type Steps, statement } from '../../statement.js';

/** A blob in a pack, on disk. */
export interface PlacedBlob {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly packId: number;
  /** Of its entry in the pack. */
  readonly position: number;
}

/** Bytes of an entry before its blob's; store/blobs/entry.ts has the layout. */
export const headerBytes = 44;

/** Bytes that a blob of this size takes in a pack. */
export const entryBytes = (sizeBytes: number): number => headerBytes + sizeBytes;

const place = statement<PlacedBlob>(`
  INSERT INTO blobs (sha256, size_bytes, pack_id, position, refs)
  VALUES (@sha256, @sizeBytes, @packId, @position, 0)
  ON CONFLICT (sha256) DO UPDATE SET pack_id = excluded.pack_id, position = excluded.position
  WHERE blobs.pack_id IS NULL`);
const grow = statement<{ id: number; sizeBytes: number; liveBytes: number }>(`
  INSERT INTO packs (id, size_bytes, live_bytes) VALUES (@id, @sizeBytes, @liveBytes)
  ON CONFLICT (id) DO UPDATE SET
    size_bytes = ${greatest('packs.size_bytes', 'excluded.size_bytes')},
    live_bytes = packs.live_bytes + excluded.live_bytes`);
const shrink = statement<{ id: number; bytes: number }>(
  'UPDATE packs SET live_bytes = live_bytes - @bytes WHERE id = @id',
);

/**
 * Stores where blobs are, in the transaction that stores the first rows that refer to them.
 * A blob that another caller has placed meanwhile stays where it is.
 */
export function* placeBlobs(placed: readonly PlacedBlob[]): Steps<void> {
  const packs = new Map<number, { sizeBytes: number; liveBytes: number }>();
  for (const blob of placed) {
    const isLive = (yield* run(place, blob)) > 0;
    const pack = packs.get(blob.packId) ?? { sizeBytes: 0, liveBytes: 0 };
    const bytes = entryBytes(blob.sizeBytes);
    pack.sizeBytes = Math.max(pack.sizeBytes, blob.position + bytes);
    if (isLive) pack.liveBytes += bytes;
    packs.set(blob.packId, pack);
  }
  for (const [id, pack] of packs) yield* run(grow, { id, ...pack });
}

/** Counts entries that nothing refers to any more out of their packs. */
export function* leavePacks(
  gone: readonly { pack_id: number | null; size_bytes: number }[],
): Steps<void> {
  const packs = new Map<number, number>();
  for (const { pack_id, size_bytes } of gone) {
    if (pack_id !== null) packs.set(pack_id, (packs.get(pack_id) ?? 0) + entryBytes(size_bytes));
  }
  for (const [id, bytes] of packs) yield* run(shrink, { id, bytes });
}
