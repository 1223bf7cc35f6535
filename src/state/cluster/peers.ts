import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import type { Cluster, ClusterListener, Hint, HintKind, OwnFigures } from '../../store/cluster.js';
import { lookAtBot } from '../../store/ops/bots/look-at-bot.js';
import { loadCampaign } from '../../store/ops/campaigns/load-campaign.js';
import { heldLeases } from '../../store/ops/leases/held-leases.js';
import { findQueues } from '../../store/ops/scheduling/find-queues.js';
import type { Store } from '../../store/store.js';
import type { Secrets } from '../access/secrets.js';
import type { Tokens } from '../access/tokens.js';
import type { Blame } from '../bots/blame.js';
import type { Presence } from '../bots/presence.js';
import type { Sessions } from '../bots/sessions.js';
import type { Campaigns } from '../campaigns/campaigns.js';
import type { CampaignSupply } from '../campaigns/supply.js';
import type { Jobs } from '../jobs/jobs.js';
import type { Leases } from '../leases/leases.js';
import type { Dispatch } from '../scheduling/dispatch.js';
import type { Reaper } from '../scheduling/reaper.js';
import { Spreading } from './spreading.js';

export interface PeersParts {
  readonly store: Pick<Store, 'run' | 'cluster'>;
  readonly leases: Leases;
  readonly sessions: Sessions;
  readonly reaper: Reaper;
  readonly dispatch: Dispatch;
  readonly jobs: Jobs;
  readonly blame: Blame;
  readonly presence: Presence;
  readonly campaigns: Campaigns;
  readonly supply: CampaignSupply;
  readonly tokens: Tokens;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
}

/**
 * What the other masters of a cluster do, as far as this one's memory has to know it: each
 * hint names a row, which is read as it is now. So hints may come late, twice or in any order.
 */
export class Peers implements ClusterListener {
  readonly #looking = new Set<Promise<void>>();
  readonly #spreading: Spreading;

  constructor(private readonly parts: PeersParts) {
    this.#spreading = new Spreading(parts);
  }

  /** Without a cluster it does nothing. */
  start(): void {
    this.parts.store.cluster?.listen(this);
    this.#spreading.start();
  }

  async stop(): Promise<void> {
    await this.#spreading.stop();
    await Promise.all(this.#looking);
  }

  figures(): OwnFigures {
    const { sessions, leases } = this.parts;
    let freeSlots = 0;
    for (const session of sessions.all()) freeSlots += session.freeSlots;
    return {
      botsOnline: sessions.online,
      freeSlots,
      executionsPerSecond: leases.executionsPerSecond,
    };
  }

  hinted(hints: readonly Hint[]): void {
    const byKind = Map.groupBy(hints, ({ kind }) => kind);
    for (const [kind, some] of byKind) {
      const subjects = some.map(({ subject }) => subject);
      this.#begin(`hints: ${kind}`, () => this.#looks[kind](subjects));
    }
  }

  peerGone(): void {
    const { reaper, presence } = this.parts;
    this.#begin('takeover', () => reaper.takeOver());
    this.#begin('look for bots', () => presence.restore());
  }

  declaredDead(): void {
    const { leases, sessions } = this.parts;
    sessions.sendAway('the other masters have taken this one for dead');
    // They are others' by now: what ends them there is not this master's to say.
    for (const lease of [...leases.all()]) leases.end(lease);
  }

  backAgain(): void {
    this.parts.sessions.answerAgain();
  }

  readonly #looks: Record<HintKind, (subjects: readonly string[]) => Promise<void>> = {
    queue: (ids) => this.#lookAtQueues(ids.map(Number)),
    job: (ids) => each(ids, (id) => this.parts.jobs.lookAt(id)),
    lease: (jobIds) => this.#lookAtLeases(jobIds),
    bot: (ids) => each(ids, (id) => this.#lookAtBot(id)),
    token: (ids) => each(ids, (id) => this.parts.tokens.lookAt(id)),
    secret: () => this.parts.secrets.load(),
    campaign: () => this.parts.campaigns.learnTerms(),
    fuzz_campaign: (ids) => each(ids, (id) => this.#lookAtCampaign(id)),
  };

  async #lookAtQueues(ids: readonly number[]): Promise<void> {
    const { store, inBackground, dispatch } = this.parts;
    const rows = await inBackground(findQueues.name, (ctx) => store.run(ctx, findQueues, { ids }));
    for (const row of rows) if (row.pending > 0) dispatch.jobPending(row.id);
  }

  /** Forgets the leases that are over, or with another master. */
  async #lookAtLeases(jobIds: readonly string[]): Promise<void> {
    const { store, inBackground, leases } = this.parts;
    const own = jobIds.flatMap((id) => leases.ofJob(id) ?? []);
    const until = new Map(own.map((lease) => [lease, lease.expiresAt]));
    const master = store.cluster?.id ?? 0;
    if (own.length === 0) return;
    const input = { jobIds: own.map(({ jobId }) => jobId), master };
    const rows = await inBackground(heldLeases.name, (ctx) => store.run(ctx, heldLeases, input));
    const held = new Set(rows.map(({ job_id, fence }) => `${job_id}/${fence}`));
    for (const lease of own) {
      // Renewed while that was read: its bot has come back to this master.
      if (until.get(lease) !== lease.expiresAt) continue;
      if (held.has(`${lease.jobId}/${lease.fence}`)) continue;
      leases.end(lease);
      // Its run is at an end, or with another master: the bot has room here again.
      this.parts.sessions.holdChanged(lease.botId);
    }
  }

  async #lookAtBot(id: string): Promise<void> {
    const { store, inBackground, sessions, blame, presence } = this.parts;
    if (!sessions.of(id) && !presence.isLost(id)) return;
    const row = await inBackground(lookAtBot.name, (ctx) => store.run(ctx, lookAtBot, id));
    const cluster = store.cluster as Cluster;
    const isElsewhere =
      row?.master !== cluster.id && cluster.peers.some((one) => one.id === row?.master);
    if (isElsewhere) presence.isElsewhere(id);
    const session = sessions.of(id);
    if (!session) return;
    if (!row || row.forgotten_at !== null) {
      session.forget();
      blame.forget(id);
      return;
    }
    if (isElsewhere) return session.replace();
    const isDraining = row.drain_requested_at !== null;
    if (session.isDraining !== isDraining) sessions.drain(id, isDraining);
  }

  async #lookAtCampaign(id: string): Promise<void> {
    const { store, inBackground, supply } = this.parts;
    const loaded = await inBackground(loadCampaign.name, (ctx) => store.run(ctx, loadCampaign, id));
    if (loaded) supply.learn(loaded);
  }

  /** A look that fails is not lost: periodic ones find what it would have. */
  #begin(what: string, work: () => Promise<void>): void {
    const looking = work()
      .catch((error) => this.parts.log.warn({ err: error, what }, 'look at other masters failed'))
      .finally(() => this.#looking.delete(looking));
    this.#looking.add(looking);
  }
}

async function each(ids: readonly string[], look: (id: string) => Promise<void>): Promise<void> {
  for (const id of ids) await look(id);
}
