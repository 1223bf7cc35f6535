import type { SecretServiceServer } from '../../gen/pandafuzz/v1/secret_service.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';

export function secretHandlers({ secrets }: State, adapt: Adapter) {
  return {
    setSecret: adapt.unary('work', async (request, ctx) => ({
      secret: await secrets.set(ctx, request),
    })),
    listSecrets: adapt.unary('read', (request, ctx) => secrets.list(ctx, request)),
    deleteSecret: adapt.unary('work', async (request, ctx) => {
      await secrets.delete(ctx, request);
      return {};
    }),
  } satisfies SecretServiceServer;
}
