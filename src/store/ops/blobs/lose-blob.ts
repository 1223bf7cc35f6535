import { writeOperation } from '../../operation.js';
import { run, type Steps, statement } from '../../statement.js';
import type { BlobPlace } from './find-blobs.js';
import { leavePacks } from './place-blobs.js';

const lose = statement<BlobPlace>(`
  UPDATE blobs SET pack_id = NULL, position = NULL
  WHERE sha256 = @sha256 AND pack_id = @pack_id AND position = @position`);

/** Forgets where a blob was that could not be read there: the next upload of it is kept again. */
export const loseBlob = writeOperation(
  'lose_blob',
  'upkeep',
  function* (place: BlobPlace): Steps<void> {
    if ((yield* run(lose, place)) > 0) yield* leavePacks([place]);
  },
);
