import type { SystemServiceServer } from '../../gen/pandafuzz/v1/system_service.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';

export function systemHandlers({ system }: State, adapt: Adapter) {
  return {
    getSystemStats: adapt.unary((_request, ctx) => system.stats(ctx)),
  } satisfies Partial<SystemServiceServer>;
}
