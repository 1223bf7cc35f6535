import { writeOperation } from '../../operation.js';
import { run, type Steps, statement } from '../../statement.js';
import { leavePacks, type PlacedBlob, placeBlobs } from './place-blobs.js';

/** A blob that was copied into another pack. */
export interface MovedBlob {
  readonly to: PlacedBlob;
  readonly from: { readonly packId: number; readonly position: number };
}

const leave = statement<{ sha256: string; packId: number; position: number }>(`
  UPDATE blobs SET pack_id = NULL, position = NULL
  WHERE sha256 = @sha256 AND pack_id = @packId AND position = @position`);

/**
 * Lets blobs be read from their copies. One that was deleted, or is elsewhere by now, is
 * passed over.
 */
export const moveBlobs = writeOperation(
  'move_blobs',
  'upkeep',
  function* (moved: readonly MovedBlob[]): Steps<void> {
    const gone: PlacedBlob[] = [];
    for (const { to, from } of moved) {
      const left = yield* run(leave, { sha256: to.sha256, ...from });
      if (left > 0) gone.push(to);
    }
    yield* placeBlobs(gone);
    const [first] = moved;
    const fromPack = first?.from.packId ?? null;
    yield* leavePacks(gone.map(({ sizeBytes }) => ({ pack_id: fromPack, size_bytes: sizeBytes })));
  },
);
