import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../../src/core/errors.js';
import type { Evidence, Violation } from './evidence.js';

interface Row {
  readonly sha256: string;
  readonly size_bytes: number;
  readonly pack_id: number | null;
  readonly position: number | null;
}

/** Of an entry in a pack, before its bytes: written down here once more, apart from the code. */
const packHeaderBytes = 44;

/** Every blob that a row refers to is there, with the bytes that its name promises. */
export function badBlobs({ database, blobs }: Evidence): Violation[] {
  const packs = new Map<number, Buffer>();
  const packOf = (id: number) => {
    const known = packs.get(id);
    if (known) return known;
    const bytes = readFileSync(join(blobs, 'packs', `${String(id).padStart(10, '0')}.pack`));
    packs.set(id, bytes);
    return bytes;
  };
  const bytesOf = ({ sha256, size_bytes, pack_id, position }: Row) => {
    if (pack_id === null) return readFileSync(join(blobs, sha256.slice(0, 2), sha256));
    const begin = Number(position) + packHeaderBytes;
    return packOf(pack_id).subarray(begin, begin + size_bytes);
  };
  const found: Violation[] = [];
  for (const row of database.prepare<[], Row>('SELECT * FROM blobs WHERE refs > 0').iterate()) {
    try {
      const sha256 = createHash('sha256').update(bytesOf(row)).digest('hex');
      if (sha256 !== row.sha256) found.push({ rule: 'blobs', what: `${row.sha256} is ${sha256}` });
    } catch (error) {
      found.push({ rule: 'blobs', what: `${row.sha256}: ${messageOf(error)}` });
    }
  }
  const unnamed = database.prepare<[], string>(`
    SELECT sha256 FROM artifacts UNION SELECT sha256 FROM corpus_entries
    UNION SELECT input_sha256 FROM crashes
    EXCEPT SELECT sha256 FROM blobs WHERE refs > 0`);
  for (const sha256 of unnamed.pluck().all()) {
    found.push({ rule: 'blobs', what: `${sha256} is referred to, and no blob` });
  }
  return found;
}
