import { dueMerges, postponeMerge } from '../../store/ops/corpus/merge-jobs.js';
import { hasEndedCorpora, sweepCorpora } from '../../store/ops/corpus/sweep-corpora.js';
import type { Merges } from './merges.js';
import type { TargetWork } from './target-upkeep.js';

/** Merges that are due, and what replaced corpora left. */
export const corpusWork = (merges: Pick<Merges, 'make'>, isWanted: boolean): TargetWork => ({
  ...{ name: 'corpora', what: 'corpus merge', isWanted },
  ...{ due: dueMerges, postpone: postponeMerge, againAfterMs: 3_600_000 },
  ...{ making: 'make_merge', make: (ctx, of) => merges.make(ctx, of) },
  ...{ hasEnded: hasEndedCorpora, sweep: sweepCorpora, rowsAtOnce: 200 },
});
