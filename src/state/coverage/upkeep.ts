import { dueCoverage, postponeCoverage } from '../../store/ops/coverage/coverage-jobs.js';
import { hasEndedCoverage, sweepCoverage } from '../../store/ops/coverage/sweep-coverage.js';
import type { TargetWork } from '../corpus/target-upkeep.js';
import type { CoverageMeasures } from './measure.js';

/** Reports that are due, and those that have ended; a row of one has up to 350 KB. */
export const coverageWork = (
  measures: Pick<CoverageMeasures, 'make' | 'isUpToDate'>,
  isWanted: boolean,
): TargetWork => ({
  ...{ name: 'coverage', what: 'coverage report', isWanted },
  ...{ due: dueCoverage, postpone: postponeCoverage, againAfterMs: 600_000 },
  making: 'make_coverage',
  make: async (ctx, of) =>
    (await measures.isUpToDate(ctx, of)) ? undefined : measures.make(ctx, of),
  ...{ hasEnded: hasEndedCoverage, sweep: sweepCoverage, rowsAtOnce: 20 },
});
