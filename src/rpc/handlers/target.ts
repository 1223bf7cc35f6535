import type { TargetServiceServer } from '../../gen/pandafuzz/v1/target_service.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';

export function targetHandlers({ targets }: State, adapt: Adapter) {
  return {
    registerBuild: adapt.unary('work', async (request, ctx) => ({
      target: await targets.register(ctx, request),
    })),
    getTarget: adapt.unary('read', (request, ctx) => targets.get(ctx, request)),
    listTargets: adapt.unary('read', (request, ctx) => targets.list(ctx, request)),
  } satisfies TargetServiceServer;
}
