import type { CampaignServiceServer } from '../../gen/pandafuzz/v1/campaign_service.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';

export function campaignHandlers({ fuzzingCampaigns: campaigns }: State, adapt: Adapter) {
  return {
    createCampaign: adapt.unary('work', async (request, ctx) => ({
      campaign: await campaigns.create(ctx, request),
    })),
    getCampaign: adapt.unary('read', (request, ctx) => campaigns.get(ctx, request)),
    listCampaigns: adapt.unary('read', (request, ctx) => campaigns.list(ctx, request)),
    updateCampaign: adapt.unary('work', async (request, ctx) => ({
      campaign: await campaigns.update(ctx, request),
    })),
    pauseCampaign: adapt.unary('work', async (request, ctx) => ({
      campaign: await campaigns.pause(ctx, request),
    })),
    resumeCampaign: adapt.unary('work', async (request, ctx) => ({
      campaign: await campaigns.resume(ctx, request),
    })),
    archiveCampaign: adapt.unary('work', async (request, ctx) => ({
      campaign: await campaigns.archive(ctx, request),
    })),
    explainCampaign: adapt.unary('read', (request, ctx) => campaigns.explain(ctx, request)),
    listCampaignHistory: adapt.unary('read', (request, ctx) => campaigns.history(ctx, request)),
  } satisfies CampaignServiceServer;
}
