import type { CoverageServiceServer } from '../../gen/pandafuzz/v1/coverage_service.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';

export function coverageHandlers({ coverage, own }: State, adapt: Adapter) {
  const { measures, reports, gathering } = coverage;
  return {
    registerCoverageBuild: adapt.unary('work', async (request, ctx) => ({
      coverage: await measures.register(ctx, request),
    })),
    measureCoverage: adapt.unary('work', (request, ctx) => measures.begin(ctx, request)),
    getCoverage: adapt.unary('read', (request, ctx) => reports.get(ctx, request)),
    getCoverageFile: adapt.unary('read', (request, ctx) => reports.file(ctx, request)),
    listCoverage: adapt.unary('read', (request, ctx) => reports.list(ctx, request)),
    addCoverageFiles: adapt.unary('result', async (request, ctx) =>
      gathering.add(ctx, await own.under(ctx, request)),
    ),
    finishCoverage: adapt.unary('result', async (request, ctx) =>
      gathering.finish(ctx, await own.under(ctx, request)),
    ),
  } satisfies CoverageServiceServer;
}
