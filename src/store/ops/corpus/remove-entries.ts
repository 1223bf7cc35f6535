import { writeOperation } from '../../operation.js';
import { all, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { type CorpusOf, corpusToChange, newGeneration, sizeOf, subjectOf } from './corpus-of.js';

interface Removal extends CorpusOf {
  /** SHA-256 of each, or its first digits. */
  sha256s: readonly string[];
  now: number;
}

export interface Removed {
  /** Whole SHA-256s. */
  readonly removed: string[];
  /** As they were given. */
  readonly unknown: string[];
  readonly ambiguous: string[];
}

const beginning = statement<
  { generationId: number; from: string; to: string },
  { sequence: number; sha256: string }
>(`
  SELECT sequence, sha256 FROM corpus_entries
  WHERE generation_id = @generationId AND sha256 >= @from AND sha256 <= @to
  ORDER BY sha256 LIMIT 2`);
const remove = statement<{ sequence: number }>(
  'DELETE FROM corpus_entries WHERE sequence = @sequence',
);
const rise = statement<{ id: number }>('UPDATE corpora SET revision = revision + 1 WHERE id = @id');
const replace = statement<{ id: number; generationId: number; fewest: number }>(`
  UPDATE corpora SET generation_id = @generationId, revision = revision + 1,
    merge_due_at = NULL, merge_at_entries = @fewest, last_merge = NULL
  WHERE id = @id`);
const end = statement<{ id: number }>('UPDATE corpus_generations SET ended = 1 WHERE id = @id');
const endBuilds = statement<{ id: number }>(
  'UPDATE corpus_builds SET ended = 1 WHERE corpus_id = @id AND ended = 0',
);

/**
 * Removes inputs. What is given that is no input's, or the beginning of several, is returned.
 *
 * @throws NotFoundError (corpus)
 */
export const removeCorpusEntries = writeOperation(
  'remove_corpus_entries',
  'work',
  function* (input: Removal): Steps<Removed> {
    const corpus = yield* corpusToChange(input);
    const found: Removed = { removed: [], unknown: [], ambiguous: [] };
    for (const text of input.sha256s) {
      const range = { from: text, to: `${text}${'g'}` };
      const rows = yield* all(beginning, { generationId: corpus.generation_id, ...range });
      const [row] = rows;
      if (!row) found.unknown.push(text);
      else if (rows.length > 1) found.ambiguous.push(text);
      else {
        yield* run(remove, row);
        found.removed.push(row.sha256);
      }
    }
    if (found.removed.length > 0) {
      yield* run(rise, corpus);
      const detail = { inputs: found.removed.length };
      yield* recordEvent(input.now, 'corpus.inputs_removed', subjectOf(input), detail);
    }
    return found;
  },
);

/**
 * Empties a corpus.
 *
 * @returns how many inputs it had
 * @throws NotFoundError (corpus)
 */
export const resetCorpus = writeOperation(
  'reset_corpus',
  'work',
  function* (input: CorpusOf & { fewest: number; now: number }): Steps<number> {
    const corpus = yield* corpusToChange(input);
    const { entries } = yield* sizeOf(corpus.generation_id);
    const generationId = yield* newGeneration(corpus.id);
    yield* run(end, { id: corpus.generation_id });
    yield* run(endBuilds, { id: corpus.id });
    yield* run(replace, { id: corpus.id, generationId, fewest: input.fewest });
    yield* recordEvent(input.now, 'corpus.reset', subjectOf(input), { inputs: entries });
    return entries;
  },
);
