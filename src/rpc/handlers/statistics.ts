import type { StatisticsServiceServer } from '../../gen/pandafuzz/v1/statistics_service.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';

export function statisticsHandlers({ series, progress, problems }: State, adapt: Adapter) {
  return {
    getSeries: adapt.unary('read', (request, ctx) => series.get(ctx, request)),
    getProgress: adapt.unary('read', (request, ctx) => progress.list(ctx, request)),
    listProblems: adapt.unary('read', (_request, ctx) => problems.list(ctx)),
  } satisfies StatisticsServiceServer;
}
