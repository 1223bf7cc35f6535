import {
  type ArmRow,
  armColumns,
  type FuzzCampaignRow,
  fuzzCampaignColumns,
  type LoadedCampaign,
} from '../../campaign-rows.js';
import { pageOperation } from '../../operation.js';
import { type QueueRow, queueColumns } from '../../rows.js';
import { forUpdate, integersOf } from '../../sql.js';
import { all, one, page, type Steps, statement } from '../../statement.js';

const byId = statement<{ id: string }, FuzzCampaignRow>(
  `SELECT ${fuzzCampaignColumns} FROM fuzz_campaigns WHERE id = @id`,
);
const locked = statement<{ id: string }, FuzzCampaignRow>(
  `SELECT ${fuzzCampaignColumns} FROM fuzz_campaigns WHERE id = @id ${forUpdate()}`,
);
const arms = statement<{ id: string }, ArmRow>(
  `SELECT ${armColumns} FROM campaign_arms WHERE campaign_id = @id ORDER BY build`,
);
const queues = statement<{ ids: string }, QueueRow>(`
  SELECT ${queueColumns} FROM queues
  WHERE id IN (SELECT value FROM ${integersOf('@ids')} AS wanted)`);
const active = statement<{ afterId: string; limit: number }, FuzzCampaignRow>(`
  SELECT ${fuzzCampaignColumns} FROM fuzz_campaigns
  WHERE state = 'active' AND id > @afterId ORDER BY id LIMIT @limit`);

const openRuns = statement<{ id: string }, { open: number }>(`
  SELECT count(*) AS open FROM campaign_runs WHERE campaign_id = @id AND settled = 0`);

/** A campaign, and how many of its runs are not counted yet. */
type WithOpenRuns = LoadedCampaign & { open: number };

/** The row of a campaign, locked until the commit. */
export const lockCampaign = (id: string) => one(locked, { id });

/** A campaign as it is now; undefined for one that is deleted. */
export function* loaded(id: string): Steps<LoadedCampaign | undefined> {
  const campaign = yield* one(byId, { id });
  return campaign && (yield* withArms(campaign));
}

/** The builds of a campaign's spec, in their order. */
export function* ownArms(id: string): Steps<ArmRow[]> {
  const own = (yield* all(arms, { id })).filter(({ position }) => position !== null);
  return own.sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
}

function* withArms(campaign: FuzzCampaignRow): Steps<LoadedCampaign> {
  const own = yield* ownArms(campaign.id);
  const ids = [...new Set(own.flatMap(({ queue_id }) => queue_id ?? []))];
  return { campaign, arms: own, queues: yield* all(queues, { ids: JSON.stringify(ids) }) };
}

/** Active campaigns after `afterId` with what their runs are made by, by id. */
export const loadCampaigns = pageOperation(
  'load_campaigns',
  function* (input: { afterId: string; limit: number }): Steps<WithOpenRuns[]> {
    const found: WithOpenRuns[] = [];
    for (const row of yield* page(active, input)) {
      const open = (yield* one(openRuns, { id: row.id }))?.open ?? 0;
      found.push({ ...(yield* withArms(row)), open });
    }
    return found;
  },
);

/** One campaign with what its runs are made by. */
export const loadCampaign = pageOperation('load_campaign', (id: string) => loaded(id));
