import { pageOperation } from '../../operation.js';
import { textsOf } from '../../sql.js';
import { all, statement } from '../../statement.js';

/** Where a blob is: in a pack, or, without one, in a file of its own. */
export interface BlobPlace {
  readonly sha256: string;
  readonly size_bytes: number;
  readonly pack_id: number | null;
  readonly position: number | null;
}

const select = statement<{ names: string }, BlobPlace>(`
  SELECT sha256, size_bytes, pack_id, position
  FROM ${textsOf('@names')} AS wanted JOIN blobs ON sha256 = wanted.value`);

/** Those of the blobs that are known, in no order. */
export const findBlobs = pageOperation('find_blobs', (names: readonly string[]) =>
  all(select, { names: JSON.stringify(names) }),
);
