import { pageOperation, writeOperation } from '../../operation.js';
import { textsOf } from '../../sql.js';
import { all, run, type Steps, statement } from '../../statement.js';
import type { BlobPlace } from './find-blobs.js';
import { leavePacks } from './place-blobs.js';

const mark = statement<{ now: number; limit: number }>(`
  UPDATE blobs SET unused_since = @now WHERE sha256 IN (
    SELECT sha256 FROM blobs WHERE unused_since = 0 ORDER BY sha256 LIMIT @limit)`);
const unused = statement<{ before: number; limit: number }, { sha256: string }>(`
  SELECT sha256 FROM blobs WHERE unused_since > 0 AND unused_since < @before
  ORDER BY unused_since, sha256 LIMIT @limit`);
const remove = statement<{ names: string; before: number }, BlobPlace>(`
  DELETE FROM blobs
  WHERE sha256 IN (SELECT value FROM ${textsOf('@names')} AS wanted)
    AND refs = 0 AND unused_since > 0 AND unused_since < @before
  RETURNING sha256, size_bytes, pack_id, position`);

/**
 * Notes when the sweep first saw blobs that nothing refers to any more.
 *
 * @returns how many, `limit` at most
 */
export const markUnusedBlobs = writeOperation(
  'mark_unused_blobs',
  'upkeep',
  (input: { now: number; limit: number }) => run(mark, input),
);

/** Blobs that nothing has referred to since a time before `before`, the longest unused first. */
export const listUnusedBlobs = pageOperation(
  'list_unused_blobs',
  function* (input: { before: number; limit: number }): Steps<string[]> {
    return (yield* all(unused, input)).map(({ sha256 }) => sha256);
  },
);

/**
 * Deletes those of the blobs that nothing has referred to since a time before `before`.
 *
 * @returns where their bytes are
 */
export const deleteUnusedBlobs = writeOperation(
  'delete_unused_blobs',
  'upkeep',
  function* (input: { names: readonly string[]; before: number }): Steps<BlobPlace[]> {
    const names = JSON.stringify(input.names);
    const gone = yield* all(remove, { names, before: input.before });
    yield* leavePacks(gone);
    return gone;
  },
);
