import { pageOperation, readOperation } from '../../operation.js';
import type { CorpusBuildRow, CorpusRow, CorpusSourceRow } from '../../rows.js';
import { all, one, page, type Steps, statement } from '../../statement.js';
import type { CorpusOf } from './corpus-of.js';

/** The last merge job, while it has not ended. */
const merging = `(SELECT jobs.id FROM jobs
  WHERE jobs.id = merge_job_id AND finished_at IS NULL) AS merging_job_id`;
const columns = `id, project, target_name, generation_id, revision, last_merge, ${merging}`;

const after = statement<CorpusOf & { limit: number }, CorpusRow>(`
  SELECT ${columns} FROM corpora
  WHERE (project, target_name) > (@project, @targetName)
  ORDER BY project, target_name LIMIT @limit`);
const afterIn = statement<CorpusOf & { limit: number }, CorpusRow>(`
  SELECT ${columns} FROM corpora
  WHERE project = @project AND target_name > @targetName
  ORDER BY target_name LIMIT @limit`);
const byKey = statement<CorpusOf, CorpusRow>(
  `SELECT ${columns} FROM corpora WHERE project = @project AND target_name = @targetName`,
);
const sources = statement<{ generationId: number }, CorpusSourceRow>(`
  SELECT origin, engine, CAST(sum(entries) AS BIGINT) AS entries,
    CAST(sum(bytes) AS BIGINT) AS bytes
  FROM corpus_sizes WHERE generation_id = @generationId
  GROUP BY origin, engine ORDER BY origin, engine`);
const builds = statement<{ corpusId: number; limit: number }, CorpusBuildRow>(`
  SELECT target_sha256, put_aside, last_at FROM corpus_builds
  WHERE corpus_id = @corpusId AND ended = 0 ORDER BY id DESC LIMIT @limit`);

export interface ShownCorpus {
  readonly corpus: CorpusRow;
  readonly sources: CorpusSourceRow[];
  /** Empty in lists. */
  readonly builds: CorpusBuildRow[];
}

/** Builds with inputs put aside that one corpus has. */
export const mostBuilds = 16;

/** The corpora after this key, by project and target name; `isWithin`: of its project alone. */
export const listCorpora = pageOperation(
  'list_corpora',
  function* ({
    isWithin,
    ...keys
  }: CorpusOf & { limit: number; isWithin?: boolean }): Steps<ShownCorpus[]> {
    const shown: ShownCorpus[] = [];
    for (const corpus of yield* page(isWithin ? afterIn : after, keys)) {
      const generationId = corpus.generation_id;
      shown.push({ corpus, sources: yield* all(sources, { generationId }), builds: [] });
    }
    return shown;
  },
);

export const showCorpus = readOperation('show_corpus', function* (of: CorpusOf): Steps<
  ShownCorpus | undefined
> {
  const corpus = yield* one(byKey, of);
  if (!corpus) return undefined;
  return {
    corpus,
    sources: yield* all(sources, { generationId: corpus.generation_id }),
    builds: yield* all(builds, { corpusId: corpus.id, limit: mostBuilds }),
  };
});
