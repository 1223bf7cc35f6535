import type { Clock } from '../../core/clock.js';
import type { InBackground, RequestContext } from '../../core/context.js';
import { messageOf, PreconditionError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { TurnBatch } from '../../core/turn-batch.js';
import { CampaignSpec } from '../../gen/pandafuzz/v1/campaign_service.js';
import { endOf, whyOver } from '../../store/campaign-end.js';
import { loadCampaign, loadCampaigns } from '../../store/ops/campaigns/load-campaign.js';
import {
  dueCampaigns,
  moveCampaign,
  postponeCampaign,
  type WindowChange,
} from '../../store/ops/campaigns/move-campaign.js';
import { lookAtRuns, settleRun } from '../../store/ops/campaigns/settle-run.js';
import { runsStopped, runsToStop } from '../../store/ops/campaigns/stop-runs.js';
import type { Store } from '../../store/store.js';
import type { LiveLease } from '../leases/leases.js';
import { runEach } from '../messages/run-each.js';
import { dueAtOf } from './spec.js';
import type { CampaignSupply } from './supply.js';
import { isOpen } from './windows.js';

/** Whether a window of time has begun or ended at a moment that was due; undefined: neither. */
function windowChange(spec: CampaignSpec, dueAt: number, now: number): WindowChange | undefined {
  const isNowOpen = isOpen(spec, now);
  if (isOpen(spec, Math.min(dueAt, now) - 1) === isNowOpen) return undefined;
  return isNowOpen ? 'opened' : 'closed';
}

/** Between two looks at what time and other parts have changed, milliseconds. */
const intervalMs = 1000;
/** Rows looked at in one look, so that its cost does not grow with campaigns or runs. */
const runsAtOnce = 200;
const campaignsAtOnce = 20;
const stopsAtOnce = 50;
const loadedAtOnce = 100;

export interface CampaignKeeperParts {
  readonly store: Pick<Store, 'run' | 'runEach'>;
  readonly supply: CampaignSupply;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  /** Cancels a job. */
  readonly cancel: (ctx: RequestContext, jobId: string) => Promise<unknown>;
}

/**
 * What happens to campaigns by itself: runs that have ended are counted, which may be the
 * end of their campaign; time begins and ends campaigns; runs of those that were paused or
 * archived are stopped.
 *
 * A run is counted when its lease ends. One whose lease ended otherwise (its result is on
 * its way to disk, or it was cancelled while it waited, or the master was restarted) is
 * found by a look through the runs that are not counted, a slice at a time. The store
 * counts each once.
 */
export class CampaignKeeper {
  readonly #task: PeriodicTask;
  readonly #ended = new TurnBatch<string>((jobIds) => void this.#settle(jobIds));
  /** Where the look through runs that are not counted has come to. */
  #afterRun = '';
  /** Where the look through campaigns whose runs are to be stopped has come to. */
  #stopping = { campaignId: '', afterJobId: '' };
  readonly #refused = new Map<string, 'outdated' | 'missing'>();
  readonly #settling = new Set<Promise<void>>();
  #isStopped = false;

  constructor(private readonly parts: CampaignKeeperParts) {
    const { clock, log } = parts;
    const work = () => this.look();
    this.#task = new PeriodicTask({ clock, log, intervalMs, name: 'look at campaigns', work });
  }

  /** Loads the campaigns that make runs. */
  async restore(): Promise<void> {
    const { store, supply, inBackground } = this.parts;
    for (let afterId = ''; ; ) {
      const page = { afterId, limit: loadedAtOnce };
      const rows = await inBackground('load_campaigns', (ctx) =>
        store.run(ctx, loadCampaigns, page),
      );
      for (const { open, ...row } of rows) {
        supply.counted(row.campaign.id, -open);
        supply.learn(row);
      }
      const last = rows.at(-1);
      if (!last) return;
      afterId = last.campaign.id;
    }
  }

  start(): void {
    this.#task.start();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#task.stop();
    await Promise.all(this.#settling);
  }

  /** A lease has ended, and maybe its job. */
  leaseEnded({ campaign, jobId }: LiveLease): void {
    if (!this.#isStopped && this.parts.supply.has(campaign)) this.#ended.add(jobId);
  }

  /** The store would not make a run: the campaign is read anew at the next look. */
  refused(campaignId: string, why: 'outdated' | 'missing'): void {
    this.#refused.set(campaignId, why);
  }

  async look(): Promise<void> {
    await this.#readRefused();
    await this.#due();
    await this.#stopRuns();
    await this.#lookAtRuns();
  }

  async #readRefused(): Promise<void> {
    const { store, supply, inBackground, clock } = this.parts;
    for (const [id, why] of [...this.#refused].slice(0, campaignsAtOnce)) {
      const loaded = await inBackground('load_campaign', (ctx) => {
        if (why === 'outdated') return store.run(ctx, loadCampaign, id);
        const reason = 'an artifact that it runs is gone: bring a build with campaign update';
        const pause = { id, to: 'paused' as const, reason, dueAt: null, now: clock.now() };
        return store.run(ctx, moveCampaign, { ...pause, stopping: 0, from: ['active'] });
      });
      this.#refused.delete(id);
      if (loaded) supply.learn(loaded);
    }
  }

  async #due(): Promise<void> {
    const { store, clock, inBackground } = this.parts;
    const page = { now: clock.now(), limit: campaignsAtOnce };
    const ids = await inBackground('due_campaigns', (ctx) => store.run(ctx, dueCampaigns, page));
    for (const id of ids) await this.#moment(id);
  }

  /** The time of a campaign has come: it begins, or is over. */
  async #moment(id: string): Promise<void> {
    const { store, clock, inBackground, supply, log } = this.parts;
    const now = clock.now();
    const loaded = await inBackground('load_campaign', (ctx) => store.run(ctx, loadCampaign, id));
    if (!loaded) return;
    const { campaign, arms } = loaded;
    const spec = CampaignSpec.fromJSON(JSON.parse(campaign.spec));
    const reason = whyOver(endOf(campaign.spec), campaign, { now });
    const window = windowChange(spec, campaign.due_at ?? now, now);
    const moved = await inBackground('campaign_moment', (ctx) => {
      if (reason === undefined) {
        const held = arms.map(({ held_until }) => held_until);
        const dueAt = dueAtOf(spec, now, held);
        return store.run(ctx, postponeCampaign, { id, dueAt, now, window });
      }
      const end = { id, to: 'ended' as const, reason, dueAt: null, now };
      return store.run(ctx, moveCampaign, { ...end, stopping: 0, from: ['active'] });
    });
    if (moved) supply.learn(moved);
    log.info({ campaign: campaign.key, why: reason ?? 'its time has come' }, 'campaign moved');
  }

  async #stopRuns(): Promise<void> {
    const { store, inBackground } = this.parts;
    const input = { ...this.#stopping, limit: stopsAtOnce };
    const found = await inBackground('runs_to_stop', (ctx) => store.run(ctx, runsToStop, input));
    if (!found) return;
    const { campaignId, jobIds, nextJobId } = found;
    await this.#cancel(jobIds);
    this.#stopping = { campaignId, afterJobId: nextJobId ?? '' };
    if (nextJobId !== null) return;
    await inBackground('runs_stopped', (ctx) => store.run(ctx, runsStopped, { campaignId }));
  }

  async #cancel(jobIds: readonly string[]): Promise<void> {
    const { inBackground, cancel, log } = this.parts;
    for (const jobId of jobIds) {
      await inBackground('stop_run', (ctx) => cancel(ctx, jobId)).catch((error) => {
        // It may have ended meanwhile.
        if (!(error instanceof PreconditionError)) throw error;
        log.debug({ job: jobId, why: messageOf(error) }, 'run not stopped');
      });
    }
  }

  async #lookAtRuns(): Promise<void> {
    const { store, inBackground } = this.parts;
    const page = { afterId: this.#afterRun, limit: runsAtOnce };
    const { ended, unwanted, nextId } = await inBackground('look_at_runs', (ctx) =>
      store.run(ctx, lookAtRuns, page),
    );
    this.#afterRun = nextId;
    await this.#cancel(unwanted);
    if (ended.length > 0) await this.#settle(ended);
  }

  /** Never rejects. */
  #settle(jobIds: readonly string[]): Promise<void> {
    const settling = this.#settleEach(jobIds).finally(() => this.#settling.delete(settling));
    this.#settling.add(settling);
    return settling;
  }

  async #settleEach(jobIds: readonly string[]): Promise<void> {
    const { store, inBackground, clock, supply, log } = this.parts;
    const now = clock.now();
    const inputs = jobIds.map((jobId) => ({ jobId, now }));
    const outcomes = await runEach(store, inBackground, settleRun, inputs);
    for (const [index, outcome] of outcomes.entries()) {
      if (!outcome.ok) log.warn({ err: outcome.error, job: jobIds[index] }, 'run not counted yet');
      else if (outcome.value) {
        const { campaign, build, plannedMs, billedMs, tookMs } = outcome.value;
        supply.paid(jobIds[index] ?? '', campaign?.campaign.key, tookMs - plannedMs);
        if (!campaign) continue;
        supply.counted(campaign.campaign.id);
        supply.billed(campaign.campaign.id, build, { plannedMs, billedMs });
        supply.learn(campaign);
      }
    }
  }
}
