import { readOperation, writeOperation } from '../../operation.js';
import { all, one, run, runEach, type Steps, statement } from '../../statement.js';

const endedGeneration = statement<object, { id: number }>(
  'SELECT id FROM corpus_generations WHERE ended = 1 AND id > 0 ORDER BY id LIMIT 1',
);
const entries = statement<{ id: number; limit: number }, { sequence: number }>(`
  SELECT sequence FROM corpus_entries WHERE generation_id = @id ORDER BY sequence LIMIT @limit`);
const removeEntry = statement<{ sequence: number }>(
  'DELETE FROM corpus_entries WHERE sequence = @sequence',
);
const removeSizes = statement<{ id: number }>('DELETE FROM corpus_sizes WHERE generation_id = @id');
const removeGeneration = statement<{ id: number }>('DELETE FROM corpus_generations WHERE id = @id');
const endedBuild = statement<object, { id: number }>(
  'SELECT id FROM corpus_builds WHERE ended = 1 AND id > 0 ORDER BY id LIMIT 1',
);
const inputs = statement<{ id: number; limit: number }, { sequence: number }>(`
  SELECT sequence FROM corpus_put_aside WHERE build_id = @id ORDER BY sequence LIMIT @limit`);
const removeInput = statement<{ sequence: number }>(
  'DELETE FROM corpus_put_aside WHERE sequence = @sequence',
);
const removeBuild = statement<{ id: number }>('DELETE FROM corpus_builds WHERE id = @id');

/**
 * Deletes up to `limit` rows of corpora that were replaced and of builds that were forgotten.
 *
 * @returns how many; 0: nothing is left
 */
export const sweepCorpora = writeOperation(
  'sweep_corpora',
  'upkeep',
  function* ({ limit }: { limit: number }): Steps<number> {
    const generation = yield* one(endedGeneration, {});
    if (generation) {
      const rows = yield* all(entries, { ...generation, limit });
      if (rows.length > 0) return yield* runEach(removeEntry, rows);
      yield* run(removeSizes, generation);
      return yield* run(removeGeneration, generation);
    }
    const build = yield* one(endedBuild, {});
    if (!build) return 0;
    const rows = yield* all(inputs, { ...build, limit });
    if (rows.length > 0) return yield* runEach(removeInput, rows);
    return yield* run(removeBuild, build);
  },
);

/** Whether there is something to sweep. */
export const hasEndedCorpora = readOperation(
  'has_ended_corpora',
  function* (_: null): Steps<boolean> {
    return Boolean((yield* one(endedGeneration, {})) ?? (yield* one(endedBuild, {})));
  },
);
