import { pageOperation } from '../../operation.js';
import type { CorpusEntryRow } from '../../rows.js';

/** Of a target's corpus what was added after `cursor`, in order. */
export const listCorpus = pageOperation('list_corpus', (db) => {
  const after = db.prepare<[string, number, number], CorpusEntryRow>(`
      SELECT sequence, sha256, size_bytes FROM corpus_entries
      WHERE target_name = ? AND sequence > ? ORDER BY sequence LIMIT ?`);
  return (page: { targetName: string; cursor: number; limit: number }): CorpusEntryRow[] =>
    after.all(page.targetName, page.cursor, page.limit);
});
