import { pageOperation } from '../../operation.js';
import type { CorpusEntryRow } from '../../rows.js';
import { all, one, type Steps, statement } from '../../statement.js';
import { type CorpusOf, findCorpus } from './corpus-of.js';

export interface CorpusPage extends CorpusOf {
  cursor: number;
  limit: number;
  /** Inputs that are put aside for this build are left out; empty: none are. */
  targetSha256: string;
  /** Only these; empty: all after the cursor. */
  sha256s: readonly string[];
}

export interface ListedCorpus {
  /** 0: there never was an input. */
  readonly revision: number;
  readonly rows: CorpusEntryRow[];
}

interface Page {
  generationId: number;
  cursor: number;
  limit: number;
}

/** With where the bytes of each are. */
const columns = 'sequence, corpus_entries.sha256, corpus_entries.size_bytes, pack_id, position';
const entries = 'corpus_entries LEFT JOIN blobs ON blobs.sha256 = corpus_entries.sha256';

const after = statement<Page, CorpusEntryRow>(`
  SELECT ${columns} FROM ${entries}
  WHERE generation_id = @generationId AND sequence > @cursor ORDER BY sequence LIMIT @limit`);
/** The inputs that are put aside take part in the page, so that its cost has a bound. */
const afterFor = statement<Page & { buildId: number }, CorpusEntryRow & { aside: 0 | 1 }>(`
  SELECT ${columns},
    CASE WHEN EXISTS (SELECT 1 FROM corpus_put_aside
      WHERE build_id = @buildId AND corpus_put_aside.sha256 = corpus_entries.sha256)
    THEN 1 ELSE 0 END AS aside
  FROM ${entries}
  WHERE generation_id = @generationId AND sequence > @cursor ORDER BY sequence LIMIT @limit`);
const bySha256 = statement<{ generationId: number; sha256: string }, CorpusEntryRow>(`
  SELECT ${columns} FROM ${entries}
  WHERE generation_id = @generationId AND corpus_entries.sha256 = @sha256`);
const build = statement<{ corpusId: number; targetSha256: string }, { id: number }>(`
  SELECT id FROM corpus_builds
  WHERE corpus_id = @corpusId AND target_sha256 = @targetSha256 AND ended = 0`);

/**
 * The entries of a corpus that were added after `cursor`, in order. A page with fewer than
 * `limit` rows is the last one, with those that were left out counted.
 */
export const listCorpus = pageOperation('list_corpus', function* (page: CorpusPage): Steps<
  ListedCorpus & { isLast: boolean; cursor: number }
> {
  const { cursor, limit, targetSha256, sha256s } = page;
  const corpus = yield* findCorpus(page);
  if (!corpus) return { revision: 0, rows: [], isLast: true, cursor };
  const { revision, generation_id: generationId } = corpus;
  if (sha256s.length > 0) {
    const rows: CorpusEntryRow[] = [];
    for (const sha256 of sha256s) {
      const row = yield* one(bySha256, { generationId, sha256 });
      if (row) rows.push(row);
    }
    return { revision, rows, isLast: true, cursor };
  }
  const of =
    targetSha256 === '' ? undefined : yield* one(build, { corpusId: corpus.id, targetSha256 });
  const input = { generationId, cursor, limit };
  const rows = of ? yield* all(afterFor, { ...input, buildId: of.id }) : yield* all(after, input);
  return {
    revision,
    rows: rows.filter((row) => !('aside' in row) || row.aside === 0),
    isLast: rows.length < limit,
    cursor: rows.at(-1)?.sequence ?? cursor,
  };
});
