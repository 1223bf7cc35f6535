import { readOperation, writeOperation } from '../../operation.js';
import { all, one, run, runEach, type Steps, statement } from '../../statement.js';

const anyEnded = statement<object, { id: number }>(
  "SELECT id FROM coverage_reports WHERE state = 'ended' AND id > 0 ORDER BY id LIMIT 1",
);
const files = statement<{ reportId: number; limit: number }, { path: string }>(
  'SELECT path FROM coverage_files WHERE report_id = @reportId ORDER BY path LIMIT @limit',
);
const remove = statement<{ reportId: number; path: string }>(
  'DELETE FROM coverage_files WHERE report_id = @reportId AND path = @path',
);
const removeReport = statement<{ id: number }>('DELETE FROM coverage_reports WHERE id = @id');

/** Whether `sweepCoverage` has something to do. */
export const hasEndedCoverage = readOperation(
  'has_ended_coverage',
  function* (_: null): Steps<boolean> {
    return (yield* one(anyEnded, {})) !== undefined;
  },
);

/**
 * Deletes files of a report that has ended, and then the report.
 *
 * @returns rows that were deleted; 0: nothing is left
 */
export const sweepCoverage = writeOperation(
  'sweep_coverage',
  'upkeep',
  function* ({ limit }: { limit: number }): Steps<number> {
    const ended = yield* one(anyEnded, {});
    if (!ended) return 0;
    const rows = yield* all(files, { reportId: ended.id, limit });
    if (rows.length > 0) {
      return yield* runEach(
        remove,
        rows.map(({ path }) => ({ reportId: ended.id, path })),
      );
    }
    return yield* run(removeReport, ended);
  },
);
