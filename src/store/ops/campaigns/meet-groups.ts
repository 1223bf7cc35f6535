import type { FuzzCampaignRow } from '../../campaign-rows.js';
import { all, one, run, type Steps, statement } from '../../statement.js';

/** Groups of one run that are looked at, and groups that are kept of a campaign. */
const mostOfRun = 200;
const mostKept = 10_000;
/** Groups of earlier builds that go with each run: more than it can add, so that all go at last. */
const mostForgotten = 2 * mostOfRun;

interface Meeting {
  campaignId: string;
  groupId: string;
  since: number;
}

const metIn = statement<{ jobId: string; limit: number }, { group_id: string }>(`
  SELECT group_id FROM crashes WHERE job_id = @jobId GROUP BY group_id
  ORDER BY group_id LIMIT @limit`);
const known = statement<Meeting, { since: number; runs: 1 | 2 }>(`
  SELECT since, runs FROM campaign_groups WHERE campaign_id = @campaignId AND group_id = @groupId`);
const meet = statement<Meeting & { runs: 1 | 2 }>(`
  INSERT INTO campaign_groups (campaign_id, group_id, since, runs)
  VALUES (@campaignId, @groupId, @since, @runs)
  ON CONFLICT (campaign_id, group_id) DO UPDATE SET since = excluded.since, runs = excluded.runs`);
const add = statement<{ campaignId: string; met: number; once: number }>(`
  UPDATE fuzz_campaigns SET group_runs = group_runs + 1, groups_met = groups_met + @met,
    groups_once = groups_once + @once
  WHERE id = @campaignId`);
const startOver = statement<{ id: string; revision: number }>(`
  UPDATE fuzz_campaigns SET groups_since = @revision, group_runs = 0, groups_met = 0,
    groups_once = 0, forecast_from_ms = NULL, forecast_until_ms = NULL, forecast_came = 0
  WHERE id = @id`);
const forget = statement<{ campaignId: string; since: number; limit: number }>(`
  DELETE FROM campaign_groups WHERE campaign_id = @campaignId AND group_id IN (
    SELECT group_id FROM campaign_groups WHERE campaign_id = @campaignId AND since < @since
    ORDER BY since LIMIT @limit)`);

/** Counts the crash groups that a run has met, whoever found them first. */
export function* meetGroups(campaign: FuzzCampaignRow, jobId: string): Steps<void> {
  const { id: campaignId, groups_since: since } = campaign;
  yield* run(forget, { campaignId, since, limit: mostForgotten });
  let [met, once] = [0, 0];
  for (const { group_id: groupId } of yield* all(metIn, { jobId, limit: mostOfRun })) {
    const meeting = { campaignId, groupId, since };
    const before = yield* one(known, meeting);
    const isMet = before?.since === since;
    if (isMet && before.runs === 2) continue;
    if (!isMet && campaign.groups_met + met >= mostKept) continue;
    yield* run(meet, { ...meeting, runs: isMet ? 2 : 1 });
    met += isMet ? 0 : 1;
    once += isMet ? -1 : 1;
  }
  yield* run(add, { campaignId, met, once });
}

/** New builds have bugs of their own: groups are counted anew, and no forecast is judged by them. */
export const forgetMeetings = (id: string, revision: number) => run(startOver, { id, revision });
