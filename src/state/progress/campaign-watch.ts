import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import type { LoadedCampaign } from '../../store/campaign-rows.js';
import { inRound } from '../../store/cluster.js';
import { loadCampaigns } from '../../store/ops/campaigns/load-campaign.js';
import { markStuck } from '../../store/ops/campaigns/mark-stuck.js';
import type { Store } from '../../store/store.js';
import type { Sessions } from '../bots/sessions.js';
import type { CampaignObstacles } from '../campaigns/obstacles.js';
import { heldFor } from '../campaigns/shares-in.js';
import type { CampaignSupply } from '../campaigns/supply.js';
import type { Leases } from '../leases/leases.js';
import type { Collector } from '../series/collector.js';
import { subjectOf } from '../series/subjects.js';
import { campaignHealth, stuckBy } from './campaign-health.js';

/** Between two looks, milliseconds; each looks at some campaigns, and the next one goes on. */
const lookEveryMs = 30_000;
const atOnce = 50;
/** A campaign that waits for its turn is no trouble before that many times `stuckAfterMs`. */
const patience = 6;

export interface CampaignWatchParts {
  readonly store: Pick<Store, 'run' | 'cluster'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly sessions: Pick<Sessions, 'online'>;
  readonly leases: Pick<Leases, 'countOfCampaign'>;
  readonly collector: Pick<Collector, 'curvesOf'>;
  readonly obstacles: CampaignObstacles;
  readonly supply: Pick<CampaignSupply, 'has'>;
  /** A word that holds for so long makes a campaign stuck. */
  readonly stuckAfterMs: number;
}

/**
 * Notices active campaigns that are stuck by their health word (campaign-health.ts), and that are
 * no longer. A word has to hold for a while in both directions, so that one that comes and goes
 * makes no noise.
 */
export class CampaignWatch {
  readonly #task: PeriodicTask;
  /** Campaigns whose word is another than that on disk: which one, and since when (monotonic). */
  readonly #turning = new Map<string, { word: string; since: number }>();
  #after = '';

  constructor(private readonly parts: CampaignWatchParts) {
    const { clock, log, stuckAfterMs } = parts;
    const intervalMs = Math.min(lookEveryMs, stuckAfterMs);
    const work = () => inRound(parts.store, 'campaigns', () => this.look());
    const name = 'look at the health of campaigns';
    this.#task = new PeriodicTask({ clock, log, intervalMs, name, work });
  }

  start(): void {
    this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  async look(): Promise<void> {
    const { store, inBackground } = this.parts;
    const page = { afterId: this.#after, limit: atOnce };
    const rows = await inBackground(loadCampaigns.name, (ctx) =>
      store.run(ctx, loadCampaigns, page),
    );
    this.#after = rows.at(-1)?.campaign.id ?? '';
    for (const loaded of rows) await this.#judge(loaded);
    // The end of a round: those that are not active any more are forgotten.
    if (this.#after === '') this.#forget();
  }

  async #judge(loaded: LoadedCampaign): Promise<void> {
    const { clock } = this.parts;
    const { id, key, stuck_by: before } = loaded.campaign;
    // It is not its time.
    if (!this.parts.supply.has(key)) return void this.#turning.delete(id);
    const facts = this.#facts(loaded);
    const judged = campaignHealth(loaded.campaign, facts);
    const word = stuckBy(judged, facts);
    if (word === before) return void this.#turning.delete(id);
    const turning = this.#turning.get(id);
    if (turning?.word !== word) {
      this.#turning.set(id, { word, since: clock.monotonic() });
      return;
    }
    const neededMs = this.parts.stuckAfterMs * (word === 'waiting' ? patience : 1);
    if (clock.monotonic() - turning.since < neededMs) return;
    await this.#mark(loaded, word, judged.reason);
  }

  async #mark({ campaign }: LoadedCampaign, by: string, reason: string): Promise<void> {
    const { store, inBackground, clock, log } = this.parts;
    const { id, key } = campaign;
    const change = { id, by, reason, now: clock.now() };
    await inBackground(markStuck.name, (ctx) => store.run(ctx, markStuck, change));
    this.#turning.delete(id);
    if (by === '') log.info({ campaign: key, why: reason }, 'campaign goes on');
    else log.warn({ campaign: key, word: by, why: reason }, 'campaign stuck');
  }

  #facts(loaded: LoadedCampaign) {
    const { clock, sessions, leases, collector, obstacles } = this.parts;
    const { campaign, arms } = loaded;
    const curves = collector.curvesOf(subjectOf('campaign', campaign.key));
    const times = curves.flatMap(({ foundAt }) => foundAt ?? []);
    const reasons = arms.map((arm) => heldFor(arm));
    return {
      now: clock.now(),
      running: curves.reduce((sum, { latest }) => sum + latest.running, 0),
      leases: leases.countOfCampaign(campaign.key),
      executions: curves.reduce((sum, { executions }) => sum + executions, 0),
      foundAt: times.length > 0 ? Math.max(...times) : undefined,
      botsOnline: sessions.online,
      held: reasons.every((why) => why !== '') ? (reasons[0] ?? '') : '',
      obstacle: obstacles.of(loaded)[0] ?? '',
    };
  }

  #forget(): void {
    const longestMs = 2 * patience * this.parts.stuckAfterMs;
    const before = this.parts.clock.monotonic() - longestMs;
    for (const [id, { since }] of this.#turning) if (since < before) this.#turning.delete(id);
  }
}
