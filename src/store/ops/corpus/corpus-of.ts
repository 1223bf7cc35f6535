import { NotFoundError } from '../../../core/errors.js';
import { forShare, forUpdate } from '../../sql.js';
import { one, run, type Steps, statement } from '../../statement.js';

/** What a corpus belongs to. */
export interface CorpusOf {
  project: string;
  targetName: string;
}

export interface CorpusHead {
  id: number;
  generation_id: number;
  revision: number;
  merge_job_id: string | null;
  merge_due_at: number | null;
  merge_at_entries: number;
  /** MergeOnRecord as JSON. */
  last_merge: string | null;
}

export interface CorpusSize {
  readonly entries: number;
  readonly bytes: number;
}

/** Entries from which on a corpus that was never merged is worth it. */
export const fewestToMerge = 1000;

const columns =
  'id, generation_id, revision, merge_job_id, merge_due_at, merge_at_entries, last_merge';
const byKey = statement<CorpusOf, CorpusHead>(
  `SELECT ${columns} FROM corpora WHERE project = @project AND target_name = @targetName`,
);
/** Of two masters, one that replaces the corpus waits for those that add to it. */
const toAddTo = statement<CorpusOf, CorpusHead>(`
  SELECT ${columns} FROM corpora WHERE project = @project AND target_name = @targetName
  ${forShare}`);
const toReplace = statement<CorpusOf, CorpusHead>(`
  SELECT ${columns} FROM corpora WHERE project = @project AND target_name = @targetName
  ${forUpdate()}`);
const insert = statement<CorpusOf & { fewest: number }>(`
  INSERT INTO corpora (project, target_name, generation_id, revision, merge_at_entries)
  VALUES (@project, @targetName, 0, 1, @fewest) ON CONFLICT DO NOTHING`);
const generation = statement<{ corpusId: number }, { id: number }>(
  'INSERT INTO corpus_generations (corpus_id) VALUES (@corpusId) RETURNING id',
);
const begin = statement<{ corpusId: number; generationId: number }>(
  'UPDATE corpora SET generation_id = @generationId WHERE id = @corpusId',
);
const size = statement<{ generationId: number }, CorpusSize>(`
  SELECT CAST(coalesce(sum(entries), 0) AS BIGINT) AS entries,
    CAST(coalesce(sum(bytes), 0) AS BIGINT) AS bytes
  FROM corpus_sizes WHERE generation_id = @generationId`);

/** The corpus, to read; undefined when there never was an input. */
export function* findCorpus({ project, targetName }: CorpusOf): Steps<CorpusHead | undefined> {
  return yield* one(byKey, { project, targetName });
}

/** The corpus, to add to; made with the first input. */
export function* corpusToAddTo({ project, targetName }: CorpusOf): Steps<CorpusHead> {
  const known = yield* one(toAddTo, { project, targetName });
  if (known && known.generation_id > 0) return known;
  yield* run(insert, { project, targetName, fewest: fewestToMerge });
  const made = (yield* one(toReplace, { project, targetName })) as CorpusHead;
  if (made.generation_id > 0) return made;
  const generationId = yield* newGeneration(made.id);
  yield* run(begin, { corpusId: made.id, generationId });
  return { ...made, generation_id: generationId };
}

/**
 * The corpus, to take from.
 *
 * @throws NotFoundError
 */
export function* corpusToChange({ project, targetName }: CorpusOf): Steps<CorpusHead> {
  const found = yield* one(toReplace, { project, targetName });
  if (found) return found;
  throw new NotFoundError({ resource: 'corpus', id: `${project}/${targetName}` });
}

export function* newGeneration(corpusId: number): Steps<number> {
  return ((yield* one(generation, { corpusId })) as { id: number }).id;
}

export function* sizeOf(generationId: number): Steps<CorpusSize> {
  return (yield* one(size, { generationId })) as CorpusSize;
}

/** What the log of events calls it. */
export const subjectOf = ({ project, targetName }: CorpusOf): string => `${project}/${targetName}`;
