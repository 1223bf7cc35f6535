import type { MasterConfig } from '../../config/schema.js';
import type { Clock } from '../../core/clock.js';
import { messageOf, ValidationError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { type CampaignBuild, CampaignSpec } from '../../gen/pandafuzz/v1/campaign_service.js';
import { msOfHour } from '../../store/campaign-end.js';
import type { LoadedCampaign } from '../../store/campaign-rows.js';
import type { NewRun } from '../../store/ops/campaigns/make-run.js';
import type { CreateJobInput } from '../../store/ops/jobs/create-job.js';
import type { QueueRow } from '../../store/rows.js';
import { jobInput } from '../messages/job-input.js';
import { completeSpec } from '../messages/job-spec.js';
import { Violations } from '../messages/violations.js';
import type { PlannedRunEnd, Supply } from '../scheduling/dispatch.js';
import type { FairShare } from '../scheduling/fair-share.js';
import { ArmTurns } from './arm-turns.js';
import type { ShareOfArm } from './records.js';
import { lengthOfRun } from './run-length.js';
import { runSpec } from './run-spec.js';
import { sharesIn } from './shares-in.js';
import { isOpen } from './windows.js';

/** A build of a campaign, as its runs are made by it. */
interface LiveArm {
  readonly build: string;
  readonly queueId: number;
  /** It is held: it makes no run before this, and then one. */
  readonly heldUntil: number | null;
  /** A job of it but for its id and its time. */
  readonly template: CreateJobInput;
  readonly plannedMs: number;
  readonly share: number;
  /** Why it has this share, for people. */
  readonly reason: string;
}

interface LiveCampaign {
  readonly id: string;
  readonly key: string;
  readonly revision: number;
  readonly arms: readonly LiveArm[];
  /** CPU milliseconds that its end leaves for runs that are not counted yet. */
  readonly leftMs: number;
  readonly turns: ArmTurns;
  /** Builds that were held until this time, and have made their run since. */
  readonly tried: Map<string, number>;
}

/** Far more than there ever are under way: a run whose job is gone is never counted. */
const mostCharged = 200_000;

export interface SupplyParts {
  readonly fairShare: Pick<FairShare, 'set' | 'corrected'>;
  readonly dispatch: {
    supply(row: QueueRow): void;
    endSupply(queueId: number): void;
    roomChanged(campaign: string): void;
  };
  readonly clock: Clock;
  readonly log: Logger;
  readonly newId: () => string;
  readonly defaults: MasterConfig['jobs'];
  /** The store would not make a run of this campaign: it is to be read anew. */
  readonly onRefused: (campaignId: string, why: 'outdated' | 'missing') => void;
}

/**
 * Campaigns that make runs now, in memory. A run is planned when the dispatcher has found a
 * slot for it: the build whose turn it is, among those that the slot's bot fits. At most 20
 * builds are looked at, however many campaigns there are.
 */
export class CampaignSupply implements Supply {
  readonly #byKey = new Map<string, LiveCampaign>();
  readonly #byId = new Map<string, LiveCampaign>();
  /** Runs that are made and not counted yet, by campaign. */
  readonly #open = new Map<string, number>();
  /** Runs whose planned time their campaign was charged since this process began. */
  readonly #charged = new Set<string>();

  constructor(private readonly parts: SupplyParts) {}

  /** Campaigns that make runs now. */
  get size(): number {
    return this.#byKey.size;
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** Takes a campaign as it is on disk: from now on its runs are made by that, or none are. */
  learn(loaded: LoadedCampaign): void {
    const { campaign, queues } = loaded;
    const { key, weight, max_parallel } = campaign;
    const before = this.#byId.get(campaign.id);
    // An answer of the store that came after a newer one.
    if (before && before.revision > campaign.revision) return;
    if (campaign.state !== 'archived') {
      this.parts.fairShare.set(key, { weight: weight ?? 1, maxParallel: max_parallel ?? 0 });
      this.parts.dispatch.roomChanged(key);
    }
    const spec = CampaignSpec.fromJSON(JSON.parse(campaign.spec));
    const now = this.parts.clock.now();
    const isWaiting = (spec.notBefore?.getTime() ?? 0) > now || !isOpen(spec, now);
    if (campaign.state !== 'active' || isWaiting) {
      this.#remove(before);
      return;
    }
    const live = this.#live(loaded, spec, before);
    const kept = new Set(live.arms.map(({ queueId }) => queueId));
    for (const { queueId } of before?.arms ?? []) {
      if (!kept.has(queueId)) this.parts.dispatch.endSupply(queueId);
    }
    this.#byKey.set(key, live);
    this.#byId.set(live.id, live);
    for (const queue of queues) if (kept.has(queue.id)) this.parts.dispatch.supply(queue);
  }

  /** What each build of a campaign gets of its CPU time, and why. */
  sharesOf({ campaign, arms }: LoadedCampaign): ReadonlyMap<string, ShareOfArm> {
    const live = this.#byId.get(campaign.id);
    return new Map(
      arms.map(({ build }) => {
        const arm = live && armOf(live, build);
        return [build, { share: arm?.share ?? 0, reason: arm?.reason ?? '' }];
      }),
    );
  }

  /** A campaign is deleted. */
  forget(campaignId: string): void {
    this.#remove(this.#byId.get(campaignId));
  }

  plan(key: string, queueIds: readonly number[]): NewRun | undefined {
    const live = this.#byKey.get(key);
    if (!live || this.#isSpent(live)) return undefined;
    const arm = this.#next(live, queueIds);
    if (!arm) return undefined;
    const { newId, clock } = this.parts;
    const job = { ...arm.template, id: newId(), now: clock.now() };
    const { id: campaignId, revision } = live;
    this.#count(campaignId, 1);
    return { campaignId, revision, build: arm.build, plannedMs: arm.plannedMs, job };
  }

  /** The build whose turn it is, among those of these queues. */
  #next(live: LiveCampaign, queueIds: readonly number[]): LiveArm | undefined {
    const fitting = live.arms.filter(({ queueId }) => queueIds.includes(queueId));
    const now = this.parts.clock.now();
    const trying = fitting.find(
      ({ build, heldUntil }) =>
        heldUntil !== null && heldUntil <= now && live.tried.get(build) !== heldUntil,
    );
    if (trying?.heldUntil) {
      live.tried.set(trying.build, trying.heldUntil);
      return trying;
    }
    const ready = fitting.filter(({ heldUntil }) => heldUntil === null);
    const shares = new Map(ready.map(({ build, share }) => [build, share]));
    const lengthOf = (build: string) => armOf(live, build)?.plannedMs ?? 0;
    const all = live.arms.map(({ build }) => build);
    const build = live.turns.take(shares, all, lengthOf);
    return build === undefined ? undefined : armOf(live, build);
  }

  settle(run: NewRun, outcome: PlannedRunEnd): void {
    if (outcome === 'made') {
      this.#charge(run.job.id);
      return;
    }
    this.#count(run.campaignId, -1);
    this.billed(run.campaignId, run.build, { plannedMs: run.plannedMs, billedMs: 0 });
    const live = this.#byId.get(run.campaignId);
    if (outcome === 'unneeded' || !live || live.revision > run.revision) return;
    this.#remove(live);
    this.parts.log.info({ campaign: live.key, why: outcome }, 'campaign run refused');
    this.parts.onRefused(run.campaignId, outcome);
  }

  /** A run is counted; or so many runs of it are known that are not. */
  counted(campaignId: string, runs = 1): void {
    this.#count(campaignId, -runs);
  }

  /**
   * A run is counted: what its campaign was charged for it is corrected.
   *
   * @param key undefined: the campaign is deleted
   * @param byMs what it took beyond what was planned
   */
  paid(jobId: string, key: string | undefined, byMs: number): void {
    const isCharged = this.#charged.delete(jobId);
    if (isCharged && key !== undefined) this.parts.fairShare.corrected(key, byMs / 1000);
  }

  #charge(jobId: string): void {
    this.#charged.add(jobId);
    const [oldest] = this.#charged;
    if (oldest !== undefined && this.#charged.size > mostCharged) this.#charged.delete(oldest);
  }

  /** Its runs under way use up what its end leaves: whether there is more, they will tell. */
  #isSpent({ id, arms, leftMs }: LiveCampaign): boolean {
    if (leftMs === Number.POSITIVE_INFINITY) return false;
    const plannedMs = Math.max(...arms.map((arm) => arm.plannedMs));
    return (this.#open.get(id) ?? 0) * plannedMs >= leftMs;
  }

  #count(campaignId: string, change: number): void {
    const count = (this.#open.get(campaignId) ?? 0) + change;
    if (count <= 0) this.#open.delete(campaignId);
    else this.#open.set(campaignId, count);
  }

  /** A run of a build is billed otherwise than it was planned; 0: it never began. */
  billed(
    campaignId: string,
    build: string,
    { plannedMs, billedMs }: { plannedMs: number; billedMs: number },
  ): void {
    const live = this.#byId.get(campaignId);
    const arm = live && armOf(live, build);
    if (!arm) return;
    if (billedMs === 0) live.tried.delete(build);
    // A build that is held owes nothing for the runs that it is tried by.
    if (arm.heldUntil !== null) return;
    const shares = new Map(live.arms.map((one) => [one.build, one.share]));
    live.turns.charge(build, billedMs - plannedMs, shares);
  }

  #remove(live: LiveCampaign | undefined): void {
    if (!live) return;
    this.#byId.delete(live.id);
    if (this.#byKey.get(live.key) === live) this.#byKey.delete(live.key);
    for (const { queueId } of live.arms) this.parts.dispatch.endSupply(queueId);
  }

  #live(
    loaded: LoadedCampaign,
    spec: CampaignSpec,
    before: LiveCampaign | undefined,
  ): LiveCampaign {
    const { campaign, arms } = loaded;
    const turns = before?.turns ?? new ArmTurns();
    turns.keepOnly(arms.map(({ build }) => build));
    const tried = before?.tried ?? new Map();
    const shares = sharesIn(loaded, spec);
    const made = arms.flatMap((row): LiveArm[] => {
      const { build: name, queue_id: queueId, held_until: heldUntil } = row;
      const build = spec.builds.find((one) => one.name === name);
      if (!build || queueId === null) return [];
      if (heldUntil === null) tried.delete(name);
      const plannedMs = lengthOfRun(spec, row);
      const template = this.#template(spec, build, plannedMs);
      if (!template) return [];
      const { share = 0, reason = '' } = shares.get(name) ?? {};
      return [{ build: name, queueId, template, plannedMs, share, reason, heldUntil }];
    });
    const { id, key, revision } = campaign;
    const { cpuHours = 0 } = spec.until ?? {};
    const leftMs =
      cpuHours > 0 ? cpuHours * msOfHour - campaign.billed_ms : Number.POSITIVE_INFINITY;
    return { id, key, revision, arms: made, leftMs, turns, tried };
  }

  /** @returns undefined for a build that this master's settings allow no more */
  #template(
    spec: CampaignSpec,
    build: CampaignBuild,
    plannedMs: number,
  ): CreateJobInput | undefined {
    const job = runSpec(spec, build, plannedMs / 1000);
    try {
      const whole = completeSpec(job, this.parts.defaults, new Violations());
      return jobInput(whole, { id: '', requestId: null, now: 0 });
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      const why = messageOf(error);
      this.parts.log.warn({ campaign: job.campaign, build: build.name, why }, 'build left out');
      return undefined;
    }
  }
}

const armOf = (live: LiveCampaign, build: string) => live.arms.find((arm) => arm.build === build);
