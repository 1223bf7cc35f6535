import { readOperation, writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';

/** A bucket that has this database's blobs. */
export interface BlobPlaceRow {
  /** Of the mark in the bucket. */
  readonly name: string;
  /** As blobs.url was when they came there. */
  readonly url: string;
}

interface Found {
  /** Undefined: they are in the data folder, if there are any. */
  readonly bucket: BlobPlaceRow | undefined;
  readonly hasBlobs: boolean;
}

const select = statement<object, BlobPlaceRow>('SELECT name, url FROM blob_place WHERE id = 1');
const any = statement<object, { has: number }>(
  "SELECT 1 AS has FROM blobs WHERE sha256 > '' LIMIT 1",
);
const forget = statement<object>('DELETE FROM blob_place WHERE id = 1');
const insert = statement<BlobPlaceRow>(
  'INSERT INTO blob_place (id, name, url) VALUES (1, @name, @url)',
);

/** Where the blobs of this database are. */
export const readBlobPlace = readOperation('read_blob_place', function* (_: null): Steps<Found> {
  const bucket = yield* one(select, {});
  const hasBlobs = (yield* one(any, {})) !== undefined;
  return { bucket, hasBlobs };
});

/** Notes where they are from now on; null: in the data folder. */
export const setBlobPlace = writeOperation(
  'set_blob_place',
  'upkeep',
  function* (bucket: BlobPlaceRow | null): Steps<void> {
    yield* run(forget, {});
    if (bucket) yield* run(insert, bucket);
  },
);
