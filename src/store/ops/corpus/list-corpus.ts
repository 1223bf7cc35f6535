import { pageOperation } from '../../operation.js';
import type { CorpusEntryRow } from '../../rows.js';
import { all, statement } from '../../statement.js';

interface Page {
  targetName: string;
  cursor: number;
  limit: number;
}

const after = statement<Page, CorpusEntryRow>(`
  SELECT sequence, sha256, size_bytes FROM corpus_entries
  WHERE target_name = @targetName AND sequence > @cursor ORDER BY sequence LIMIT @limit`);

/** The entries of a target's corpus that were added after `cursor`, in order. */
export const listCorpus = pageOperation('list_corpus', (page: Page) => all(after, page));
