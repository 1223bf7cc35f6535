import { pageOperation } from '../../operation.js';
import { all, statement } from '../../statement.js';
import type { BlobPlace } from './find-blobs.js';

const list = statement<{ after: string; limit: number }, BlobPlace>(`
  SELECT sha256, size_bytes, pack_id, position FROM blobs
  WHERE sha256 > @after ORDER BY sha256 LIMIT @limit`);

/** All blobs, in order, behind the one of the name `after`. */
export const listBlobs = pageOperation('list_blobs', (input: { after: string; limit: number }) =>
  all(list, input),
);
