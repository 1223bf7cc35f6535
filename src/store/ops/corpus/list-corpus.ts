import { pageOperation } from '../../operation.js';
import type { CorpusEntryRow } from '../../rows.js';
import { all, statement } from '../../statement.js';

interface Page {
  targetName: string;
  cursor: number;
  limit: number;
}

const after = statement<Page, CorpusEntryRow>(`
  SELECT sequence, corpus_entries.sha256, corpus_entries.size_bytes, pack_id, position
  FROM corpus_entries LEFT JOIN blobs ON blobs.sha256 = corpus_entries.sha256
  WHERE target_name = @targetName AND sequence > @cursor ORDER BY sequence LIMIT @limit`);

/** The entries of a target's corpus that were added after `cursor`, in order, and where they are. */
export const listCorpus = pageOperation('list_corpus', (page: Page) => all(after, page));
