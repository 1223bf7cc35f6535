import type { Clock } from '../../core/clock.js';
import type { InBackground, RequestContext } from '../../core/context.js';
import type { Campaign } from '../../gen/pandafuzz/v1/job.js';
import type { SetCampaignRequest } from '../../gen/pandafuzz/v1/job_service.js';
import { listCampaigns } from '../../store/ops/campaigns/list-campaigns.js';
import { setCampaign } from '../../store/ops/campaigns/set-campaign.js';
import { listQueues } from '../../store/ops/scheduling/list-queues.js';
import type { CampaignRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import type { Leases } from '../leases/leases.js';
import { isProject, projectProblem } from '../messages/checks.js';
import { cutPageBy, type PageRequest, pageSizeOf } from '../messages/pages.js';
import { Violations } from '../messages/violations.js';
import type { Dispatch } from '../scheduling/dispatch.js';
import type { FairShare } from '../scheduling/fair-share.js';

const sliceSize = 1000;

export interface CampaignsParts {
  readonly store: Pick<Store, 'run'>;
  readonly fairShare: FairShare;
  readonly dispatch: Dispatch;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly inBackground: InBackground;
}

/** Weights and limits of campaigns: stored on disk, loaded into the scheduler's memory. */
export class Campaigns {
  constructor(private readonly parts: CampaignsParts) {}

  /** Loads the terms of campaigns and the queues with waiting jobs into memory. */
  async restore(): Promise<void> {
    await this.learnTerms();
    for (let afterId = 0; ; ) {
      const page = { afterId, limit: sliceSize };
      const rows = await this.parts.inBackground('list_queues', (ctx) =>
        this.parts.store.run(ctx, listQueues, page),
      );
      for (const row of rows) this.parts.dispatch.addQueue(row);
      if (rows.length < sliceSize) break;
      afterId = rows.at(-1)?.id ?? 0;
    }
  }

  /** Reads weights and limits as they are on disk now. */
  async learnTerms(): Promise<void> {
    for (let afterKey: string | null = null; ; ) {
      const page: { afterKey: string | null; limit: number } = { afterKey, limit: sliceSize };
      const rows = await this.parts.inBackground('list_campaigns', (ctx) =>
        this.parts.store.run(ctx, listCampaigns, page),
      );
      for (const row of rows) {
        this.#learn(row);
        this.parts.dispatch.roomChanged(row.key);
      }
      if (rows.length < sliceSize) break;
      afterKey = rows.at(-1)?.key ?? '';
    }
  }

  async set(ctx: RequestContext, request: SetCampaignRequest): Promise<Campaign> {
    new Violations()
      .text(request.key, 'key', { max: 128 })
      .whole(request.weight, 'weight', { min: 1, max: 1000 })
      .whole(request.maxParallel, 'max_parallel', { min: 0, max: 1_000_000 })
      .throwIfAny();
    const row = await this.parts.store.run(ctx, setCampaign, {
      ...request,
      now: this.parts.clock.now(),
    });
    this.#learn(row);
    this.parts.dispatch.roomChanged(row.key);
    return this.#record(row);
  }

  async list(
    ctx: RequestContext,
    request: PageRequest & { project?: string | undefined },
  ): Promise<{ campaigns: Campaign[]; nextPageToken: string }> {
    const { project = '' } = request;
    const found = new Violations().expect(isProject(project), 'project', projectProblem);
    const limit = pageSizeOf(request, found);
    const afterKey = decode(request.pageToken);
    found
      .expect(afterKey !== undefined, 'page_token', 'must be a next_page_token of this list')
      .throwIfAny();
    const page = { afterKey: afterKey ?? null, project, limit: limit + 1 };
    const rows = await this.parts.store.run(ctx, listCampaigns, page);
    const cut = cutPageBy(rows, limit + 1, ({ key }) => encode(key));
    return {
      campaigns: cut.rows.map((row) => this.#record(row)),
      nextPageToken: cut.nextPageToken,
    };
  }

  #learn({ key, weight, max_parallel }: CampaignRow): void {
    this.parts.fairShare.set(key, { weight, maxParallel: max_parallel });
  }

  #record(row: CampaignRow): Campaign {
    return {
      key: row.key,
      weight: row.weight,
      maxParallel: row.max_parallel,
      running: this.parts.leases.countOfCampaign(row.key),
      pending: row.pending,
    };
  }
}

/** The prefix keeps the token of an empty key from being empty. */
const encode = (key: string) => Buffer.from(`k${key}`).toString('base64url');

/** @returns null for the first page, undefined for an invalid token */
function decode(token: string): string | null | undefined {
  if (token === '') return null;
  const key = Buffer.from(token, 'base64url').toString();
  return key.startsWith('k') && encode(key.slice(1)) === token ? key.slice(1) : undefined;
}
