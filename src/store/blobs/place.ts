import { UserError } from '../../core/errors.js';
import { readBlobPlace, setBlobPlace } from '../ops/blobs/blob-place.js';
import type { RunOperation } from './run-operation.js';

/** The mark of a bucket: whose blobs it has. */
export interface Mark {
  readonly name: string;
}

/** Where a bucket keeps its mark. */
export interface Marked {
  readonly location: string;
  readMark(): Promise<Mark | undefined>;
  /** @throws UserError where another master was quicker */
  writeMark(mark: Mark): Promise<void>;
}

/**
 * Sees that a database and its blobs belong together. A master on the wrong place would
 * miss every blob, and sweep away those of another database.
 *
 * @throws UserError
 */
export async function expectFolder(run: RunOperation): Promise<void> {
  const { bucket } = await run(readBlobPlace, null);
  if (!bucket) return;
  throw new UserError(
    `blobs.url is empty, but the blobs of this database are in ${bucket.url}: set blobs.url, or copy them into the folder with "pandafuzz blobs copy"`,
  );
}

/** The same for a bucket. A new database takes a new place. @throws UserError */
export async function claimBucket(
  run: RunOperation,
  bucket: Marked,
  newName: () => string,
): Promise<void> {
  const { bucket: known, hasBlobs } = await run(readBlobPlace, null);
  const mark = await bucket.readMark();
  const at = bucket.location;
  if (known) {
    if (mark?.name === known.name) return;
    throw new UserError(
      mark
        ? `blobs.url: ${at} has the blobs of another database; those of this one are in ${known.url}`
        : `blobs.url: ${at} has no blobs of this database; they are in ${known.url}: set that, or copy them with "pandafuzz blobs copy"`,
    );
  }
  if (mark) {
    throw new UserError(
      `blobs.url: ${at} has the blobs of another database, or of an earlier state of this one, which this master would sweep away: give it another prefix`,
    );
  }
  if (hasBlobs) {
    throw new UserError(
      `blobs.url: the blobs of this database are in the data folder: copy them to ${at} with "pandafuzz blobs copy" first`,
    );
  }
  await takeBucket(run, bucket, newName());
}

/** Notes in the bucket, then in the database, that they belong together. */
export async function takeBucket(run: RunOperation, bucket: Marked, name: string): Promise<void> {
  await bucket.writeMark({ name });
  await run(setBlobPlace, { name, url: bucket.location });
}
