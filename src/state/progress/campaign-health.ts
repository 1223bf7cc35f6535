import { Health } from '../../gen/pandafuzz/v1/statistics_service.js';
import type { FuzzCampaignRow } from '../../store/campaign-rows.js';
import { healthOf, type Judged } from './health.js';

/** What the master knows of the runs of an active campaign now. */
export interface CampaignFacts {
  readonly now: number;
  /** Runs that are looked at, and runs that bots have. */
  readonly running: number;
  readonly leases: number;
  readonly executions: number;
  /** When a run of now had something new last. */
  readonly foundAt: number | undefined;
  readonly botsOnline: number;
  /** Why each of its builds is held; empty: one of them is not. */
  readonly held: string;
  /** What keeps it from running, the first of it. */
  readonly obstacle: string;
}

/** How an active campaign does, by the same words as targets. */
export function campaignHealth(
  campaign: Pick<FuzzCampaignRow, 'state_since' | 'last_find_at'>,
  facts: CampaignFacts,
): Judged {
  const { now, running, leases, executions, botsOnline, held, obstacle } = facts;
  if (held !== '') return { health: Health.CANNOT_FUZZ, reason: held };
  if (running === 0 && leases === 0) {
    if (botsOnline === 0) return { health: Health.NO_BOTS, reason: 'no bot is online' };
    return { health: Health.WAITING, reason: obstacle || 'no run of it goes on' };
  }
  const finds = [campaign.last_find_at, facts.foundAt].flatMap((time) => time ?? []);
  return healthOf({
    ...{ now, running, executions, botsOnline },
    ...{ pending: 0, paused: 0, starting: leases, failed: undefined },
    beganAt: campaign.state_since,
    foundAt: finds.length > 0 ? Math.max(...finds) : undefined,
  });
}

/** The word by which it is stuck; '': it is not. A run that a bot is starting is no waiting. */
export function stuckBy({ health }: Judged, { leases }: Pick<CampaignFacts, 'leases'>): string {
  if (health === Health.CANNOT_FUZZ) return 'cannot fuzz';
  if (health === Health.NO_BOTS) return 'no bots';
  if (health === Health.WAITING) return leases > 0 ? '' : 'waiting';
  return health === Health.FLAT ? 'flat' : '';
}
