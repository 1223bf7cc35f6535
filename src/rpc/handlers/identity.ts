import type { IdentityServiceServer } from '../../gen/pandafuzz/v1/identity_service.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';
import { deniedTo } from '../permissions.js';

export function identityHandlers({ audit, identity, signIns }: State, adapt: Adapter) {
  return {
    createToken: adapt.unary('work', (request, ctx) => identity.create(ctx, request)),
    listTokens: adapt.unary('read', (request, ctx) => identity.list(ctx, request)),
    revokeToken: adapt.unary('work', async (request, ctx) => ({
      token: await identity.revoke(ctx, request.tokenId),
    })),
    enrolBot: adapt.unary('work', (request, ctx) => identity.enrol(ctx, request)),
    beginSignIn: adapt.unary('read', ({ redirectUri }) => signIns.begin(redirectUri)),
    finishSignIn: adapt.unary('work', (request, ctx) => signIns.finish(ctx, request)),
    signOut: adapt.unary('work', async (_request, ctx) => {
      await signIns.end(ctx);
      return {};
    }),
    listAuditEntries: adapt.unary('read', (request, ctx) => audit.list(ctx, request)),
    getCaller: adapt.unary('read', async (_request, ctx) =>
      identity.caller(ctx, deniedTo(ctx.principal.role)),
    ),
  } satisfies IdentityServiceServer;
}
