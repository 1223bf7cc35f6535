import { pageOperation } from '../../operation.js';
import type { CorpusEntryDetails } from '../../rows.js';
import { page, type Steps, statement } from '../../statement.js';
import { type CorpusOf, findCorpus } from './corpus-of.js';

const after = statement<
  { generationId: number; cursor: number; limit: number },
  CorpusEntryDetails
>(`
  SELECT sequence, sha256, size_bytes, origin, engine, job_id, added_at FROM corpus_entries
  WHERE generation_id = @generationId AND sequence > @cursor ORDER BY sequence LIMIT @limit`);

/** Entries of a corpus, with all that is known of each, in the order in which they were added. */
export const listCorpusEntries = pageOperation(
  'list_corpus_entries',
  function* (
    keys: CorpusOf & { cursor: number; limit: number },
  ): Steps<{ revision: number; rows: CorpusEntryDetails[] }> {
    const corpus = yield* findCorpus(keys);
    if (!corpus) return { revision: 0, rows: [] };
    const { cursor, limit } = keys;
    const rows = yield* page(after, { generationId: corpus.generation_id, cursor, limit });
    return { revision: corpus.revision, rows };
  },
);
