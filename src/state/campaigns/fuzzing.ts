import type { MasterConfig } from '../../config/schema.js';
import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { NotFoundError, PreconditionError } from '../../core/errors.js';
import type {
  ArchiveCampaignRequest,
  CampaignServiceListCampaignsRequest,
  CampaignServiceListCampaignsResponse,
  CampaignSpec,
  CreateCampaignRequest,
  ExplainCampaignRequest,
  ExplainCampaignResponse,
  FuzzingCampaign,
  GetCampaignRequest,
  GetCampaignResponse,
  ListCampaignHistoryRequest,
  ListCampaignHistoryResponse,
  PauseCampaignRequest,
  ResumeCampaignRequest,
  UpdateCampaignRequest,
} from '../../gen/pandafuzz/v1/campaign_service.js';
import { endOf, whyOver } from '../../store/campaign-end.js';
import type { LoadedCampaign } from '../../store/campaign-rows.js';
import { createCampaign } from '../../store/ops/campaigns/create-campaign.js';
import { type CampaignNamed, resolveCampaign } from '../../store/ops/campaigns/find-campaign.js';
import { listCampaignHistory } from '../../store/ops/campaigns/history.js';
import { listFuzzCampaigns } from '../../store/ops/campaigns/list-fuzz-campaigns.js';
import { loadCampaign } from '../../store/ops/campaigns/load-campaign.js';
import { moveCampaign } from '../../store/ops/campaigns/move-campaign.js';
import { showCampaign } from '../../store/ops/campaigns/show-campaign.js';
import { updateCampaign } from '../../store/ops/campaigns/update-campaign.js';
import type { Store } from '../../store/store.js';
import type { Leases } from '../leases/leases.js';
import { isProject, projectProblem } from '../messages/checks.js';
import type { JobSecrets } from '../messages/job-secrets.js';
import { cutPage, cutPageBy, pageSizeOf, readPage } from '../messages/pages.js';
import { Violations } from '../messages/violations.js';
import { changesOf } from './changes.js';
import { forecastOf } from './forecast.js';
import type { CampaignObstacles } from './obstacles.js';
import { armRecord, campaignRecord, earlierRecord, eventRecord, specOf } from './records.js';
import { keyOf } from './run-spec.js';
import { completeCampaignSpec, dueAtOf, storedArms, storedSpec } from './spec.js';
import type { CampaignSupply } from './supply.js';

/** What GetCampaign returns of each. */
const shown = { earlier: 100, history: 10, runs: 20 };

export interface FuzzingCampaignsParts {
  readonly store: Store;
  readonly supply: CampaignSupply;
  readonly leases: Pick<Leases, 'countOfCampaign'>;
  readonly obstacles: CampaignObstacles;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly defaults: MasterConfig['jobs'];
  /** Campaigns that there may be, archived ones aside. */
  readonly most: number;
  readonly secrets: Pick<JobSecrets, 'expect'>;
}

/**
 * Campaigns that make their runs by themselves, by command. The store decides; what it
 * answers is what runs are made by from then on (supply.ts).
 *
 *   active ── pause ──> paused ── resume ──> active
 *     │  └── its end (keeper.ts, or a run that ends) ──> ended ── resume, update ──> active
 *     └── archive, from any of them ──> archived
 */
export class FuzzingCampaigns {
  constructor(private readonly parts: FuzzingCampaignsParts) {}

  /** @throws ValidationError, NotFoundError, AlreadyExistsError, QuotaError */
  async create(ctx: RequestContext, request: CreateCampaignRequest): Promise<FuzzingCampaign> {
    const found = new Violations();
    if (request.requestId !== '') found.id(request.requestId, 'request_id');
    const { store, newId, clock, defaults } = this.parts;
    const spec = completeCampaignSpec(request.spec, defaults, found);
    this.#expectSecrets(spec);
    await store.room.expect(0, 'new');
    const now = clock.now();
    const { project, name, targetName, weight, maxParallel } = spec;
    const loaded = await store.run(ctx, createCampaign, {
      id: newId(),
      requestId: request.requestId || null,
      ...{ project, name, targetName, weight, maxParallel, now },
      key: keyOf(spec),
      spec: storedSpec(spec),
      arms: storedArms(spec),
      dueAt: dueAtOf(spec, now),
      most: this.parts.most,
    });
    return this.#changed(loaded);
  }

  /** @throws ValidationError, NotFoundError, PreconditionError */
  async get(ctx: RequestContext, request: GetCampaignRequest): Promise<GetCampaignResponse> {
    const named = checkNamed(request);
    const found = await this.parts.store.run(ctx, showCampaign, { ...named, ...shown });
    return {
      campaign: this.#record(found),
      earlierBuilds: found.earlier.map(earlierRecord),
      events: found.history.map(eventRecord),
      runIds: found.runs,
      forecast: forecastOf({
        ...found,
        running: this.parts.leases.countOfCampaign(found.campaign.key),
        scores: found.forecasts,
      }),
    };
  }

  /** @throws ValidationError */
  async list(
    ctx: RequestContext,
    request: CampaignServiceListCampaignsRequest,
  ): Promise<CampaignServiceListCampaignsResponse> {
    const { project, archived } = request;
    const found = new Violations().expect(isProject(project), 'project', projectProblem);
    const page = readPage(request, found);
    const rows = await this.parts.store.run(ctx, listFuzzCampaigns, { project, archived, ...page });
    const cut = cutPage(rows, page.limit);
    const running = (key: string) => this.parts.leases.countOfCampaign(key);
    return {
      campaigns: cut.rows.map((row) =>
        campaignRecord(row, { running: running(row.key), arms: [] }),
      ),
      nextPageToken: cut.nextPageToken,
    };
  }

  /** @throws ValidationError, NotFoundError, PreconditionError */
  async update(ctx: RequestContext, request: UpdateCampaignRequest): Promise<FuzzingCampaign> {
    const found = new Violations().whole(request.revision, 'revision', {
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
    });
    const named = checkNamed(request, found);
    const { store, clock, defaults } = this.parts;
    const spec = completeCampaignSpec(request.spec, defaults, found);
    const before = await this.#find(ctx, named);
    const { campaign } = before;
    const old = specOf(campaign);
    for (const field of ['project', 'name', 'targetName'] as const) {
      const path = `spec.${field === 'targetName' ? 'target_name' : field}`;
      found.expect(spec[field] === old[field], path, `is ${old[field]}, and never changes`);
    }
    found.throwIfAny();
    this.#expectSecrets(spec);
    const now = clock.now();
    const { weight, maxParallel } = spec;
    const loaded = await store.run(ctx, updateCampaign, {
      id: campaign.id,
      // The changes are described from this one.
      revision: request.revision,
      spec: storedSpec(spec),
      arms: storedArms(spec),
      ...{ weight, maxParallel, now },
      dueAt: dueAtOf(spec, now),
      changes: changesOf(old, spec),
      isOver: isOver(spec, { ...campaign, quiet_from_ms: campaign.billed_ms }, now),
    });
    return this.#changed(loaded);
  }

  #expectSecrets({ project, environment, builds }: CampaignSpec): void {
    const ofBuilds = builds.map((build) => build.environment);
    this.parts.secrets.expect(project, environment, ...ofBuilds);
  }

  /** @throws ValidationError, NotFoundError, PreconditionError */
  async pause(ctx: RequestContext, request: PauseCampaignRequest): Promise<FuzzingCampaign> {
    const found = new Violations().text(request.reason, 'reason', { max: 256 });
    const named = checkNamed(request, found);
    return this.#move(ctx, named, {
      to: 'paused',
      reason: request.reason,
      stopping: request.stopRuns ? 1 : 0,
      from: ['active', 'ended'],
    });
  }

  /** @throws ValidationError, NotFoundError, PreconditionError ARCHIVED, OVER */
  async resume(ctx: RequestContext, request: ResumeCampaignRequest): Promise<FuzzingCampaign> {
    const named = checkNamed(request);
    const { campaign } = await this.#find(ctx, named);
    const now = this.parts.clock.now();
    const sums = { ...campaign, quiet_from_ms: campaign.billed_ms };
    const reason = whyOver(endOf(campaign.spec), sums, { now });
    if (campaign.state !== 'archived' && reason !== undefined) {
      const why = `campaign ${campaign.name} is over: ${reason}; change its end with UpdateCampaign`;
      throw new PreconditionError({ reason: 'OVER', why });
    }
    const to = { to: 'active' as const, reason: '', stopping: 0 as const };
    return this.#move(ctx, named, { ...to, from: ['paused', 'ended'] });
  }

  /** @throws ValidationError, NotFoundError, PreconditionError AMBIGUOUS */
  async archive(ctx: RequestContext, request: ArchiveCampaignRequest): Promise<FuzzingCampaign> {
    const named = checkNamed(request);
    return this.#move(ctx, named, {
      to: 'archived',
      reason: '',
      stopping: request.stopRuns ? 1 : 0,
      from: ['active', 'paused', 'ended'],
    });
  }

  /** @throws ValidationError, NotFoundError, PreconditionError AMBIGUOUS */
  async explain(
    ctx: RequestContext,
    request: ExplainCampaignRequest,
  ): Promise<ExplainCampaignResponse> {
    const loaded = await this.#find(ctx, checkNamed(request));
    const { arms } = this.#record(loaded);
    return { reasons: this.parts.obstacles.of(loaded), arms };
  }

  /** @throws ValidationError, NotFoundError, PreconditionError AMBIGUOUS */
  async history(
    ctx: RequestContext,
    request: ListCampaignHistoryRequest,
  ): Promise<ListCampaignHistoryResponse> {
    const found = new Violations();
    const limit = pageSizeOf(request, found) + 1;
    const { pageToken } = request;
    const before = pageToken === '' ? Number.MAX_SAFE_INTEGER : sequenceOf(pageToken);
    found.expect(before !== undefined, 'page_token', 'must be a next_page_token of this list');
    const named = checkNamed(request, found);
    const { store } = this.parts;
    const campaignId = await store.run(ctx, resolveCampaign, named);
    const page = { campaignId, beforeSequence: before ?? 0, limit };
    const rows = await store.run(ctx, listCampaignHistory, page);
    const cut = cutPageBy(rows, limit, ({ sequence }) => tokenOf(sequence));
    return { events: cut.rows.map(eventRecord), nextPageToken: cut.nextPageToken };
  }

  async #find(ctx: RequestContext, named: CampaignNamed): Promise<LoadedCampaign> {
    const { store } = this.parts;
    const id = await store.run(ctx, resolveCampaign, named);
    const loaded = await store.run(ctx, loadCampaign, id);
    if (!loaded) throw new NotFoundError({ resource: 'campaign', id });
    return loaded;
  }

  async #move(
    ctx: RequestContext,
    named: CampaignNamed,
    move: {
      to: 'active' | 'paused' | 'archived';
      reason: string;
      stopping: 0 | 1;
      from: readonly ('active' | 'paused' | 'ended')[];
    },
  ): Promise<FuzzingCampaign> {
    const { store, clock } = this.parts;
    const { campaign } = await this.#find(ctx, named);
    const now = clock.now();
    const dueAt = move.to === 'active' ? dueAtOf(specOf(campaign), now) : null;
    const to = { id: campaign.id, ...move, dueAt, now };
    return this.#changed(await store.run(ctx, moveCampaign, to));
  }

  /** From now on its runs are made by what is on disk. */
  #changed(loaded: LoadedCampaign): FuzzingCampaign {
    this.parts.supply.learn(loaded);
    return this.#record(loaded);
  }

  #record(loaded: LoadedCampaign): FuzzingCampaign {
    const { campaign, arms } = loaded;
    const spec = specOf(campaign);
    const shares = this.parts.supply.sharesOf(loaded);
    return campaignRecord(campaign, {
      running: this.parts.leases.countOfCampaign(campaign.key),
      arms: arms.map((arm) =>
        armRecord(arm, spec, shares.get(arm.build) ?? { share: 0, reason: '' }),
      ),
    });
  }
}

/** @throws ValidationError for faults of the name, and those `found` before */
function checkNamed(
  { project, campaign }: { project: string; campaign: string },
  found = new Violations(),
): CampaignNamed {
  found
    .expect(isProject(project), 'project', projectProblem)
    .text(campaign, 'campaign', { min: 1, max: 64 })
    .throwIfAny();
  return { project, text: campaign };
}

const isOver = (spec: CampaignSpec, sums: Parameters<typeof whyOver>[1], now: number): boolean =>
  whyOver(endOf(storedSpec(spec)), sums, { now }) !== undefined;

const tokenOf = (sequence: number) => Buffer.from(`h${sequence}`).toString('base64url');

function sequenceOf(token: string): number | undefined {
  const [, digits] = /^h(\d{1,15})$/.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  const sequence = Number(digits);
  return digits !== undefined && tokenOf(sequence) === token ? sequence : undefined;
}
