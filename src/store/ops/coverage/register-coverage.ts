import { QuotaError } from '../../../core/errors.js';
import type { CoverageTargetRow } from '../../coverage-rows.js';
import { writeOperation } from '../../operation.js';
import { one, type Steps, statement } from '../../statement.js';
import { recordForTarget } from '../events/record-history.js';
import { expectArtifacts } from '../targets/find-uses.js';
import { type CoverageOf, targetColumns } from './coverage-of.js';
import { type ShownCoverage, shown } from './show-coverage.js';

/** Targets of one project that have a coverage build. */
const mostTargets = 10_000;

export interface NewCoverageBuild extends CoverageOf {
  targetSha256: string;
  executable: string;
  now: number;
}

const known = statement<CoverageOf, { target_sha256: string }>(`
  SELECT target_sha256 FROM coverage_targets
  WHERE project = @project AND target_name = @targetName`);
const isFull = statement<{ project: string; most: number }, unknown>(`
  SELECT 1 FROM coverage_targets WHERE project = @project
  ORDER BY target_name LIMIT 1 OFFSET @most`);
const put = statement<NewCoverageBuild, CoverageTargetRow>(`
  INSERT INTO coverage_targets (project, target_name, target_sha256, executable, registered_at,
    due_at)
  VALUES (@project, @targetName, @targetSha256, @executable, @now, @now)
  ON CONFLICT (project, target_name) DO UPDATE SET target_sha256 = excluded.target_sha256,
    executable = excluded.executable, registered_at = excluded.registered_at, due_at = excluded.due_at
  RETURNING ${targetColumns}`);

/**
 * Makes an artifact the coverage build of a target. Its first report is due.
 *
 * @throws NotFoundError when the artifact was never uploaded, QuotaError
 */
export const registerCoverage = writeOperation(
  'register_coverage',
  'work',
  function* (input: NewCoverageBuild): Steps<ShownCoverage> {
    const { project, targetName, targetSha256, now } = input;
    yield* expectArtifacts({ targetSha256, seedsSha256: null, dictionarySha256: null });
    const before = yield* one(known, { project, targetName });
    if (!before && (yield* one(isFull, { project, most: mostTargets - 1 }))) {
      throw new QuotaError({
        subject: 'coverage builds',
        why: `a project may have coverage builds of at most ${mostTargets} targets: use another project (--project)`,
      });
    }
    const row = (yield* one(put, input)) as CoverageTargetRow;
    if (before?.target_sha256 !== targetSha256) {
      const text = `coverage build ${targetSha256.slice(0, 12)}`;
      yield* recordForTarget({ project, targetName }, { time: now, kind: 'coverage', text });
    }
    return yield* shown(row);
  },
);
