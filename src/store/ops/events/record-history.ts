import { forUpdate } from '../../sql.js';
import { all, one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from './record-event.js';

/** Entries of one campaign that are kept. */
const mostEntries = 1000;

interface Entry {
  campaignId: string;
  time: number;
  kind: string;
  /** For people. */
  text: string;
}

const newest = statement<{ campaignId: string }, { sequence: number }>(`
  SELECT sequence FROM campaign_history WHERE campaign_id = @campaignId
  ORDER BY sequence DESC LIMIT 1`);
const insert = statement<Entry & { sequence: number }>(`
  INSERT INTO campaign_history (campaign_id, sequence, time, kind, text)
  VALUES (@campaignId, @sequence, @time, @kind, @text)`);
const forget = statement<{ campaignId: string; upTo: number }>(
  'DELETE FROM campaign_history WHERE campaign_id = @campaignId AND sequence <= @upTo',
);
const ofTarget = statement<{ project: string; targetName: string }, { id: string }>(`
  SELECT id FROM fuzz_campaigns
  WHERE project = @project AND target_name = @targetName AND state <> 'archived'
  ORDER BY id DESC LIMIT 20 ${forUpdate()}`);

/**
 * Appends to the history of a campaign, whose row is locked, and to the log of events as
 * "campaign.KIND".
 */
export function* recordHistory(entry: Entry): Steps<void> {
  const { campaignId, time, kind, text } = entry;
  const sequence = ((yield* one(newest, { campaignId }))?.sequence ?? 0) + 1;
  yield* run(insert, { ...entry, sequence });
  if (sequence > mostEntries) yield* run(forget, { campaignId, upTo: sequence - mostEntries });
  yield* recordEvent(time, `campaign.${kind}`, campaignId, { text });
}

/** Appends to the history of every campaign of a target, of the newest 20. */
export function* recordForTarget(
  of: { project: string; targetName: string },
  entry: Omit<Entry, 'campaignId'>,
): Steps<void> {
  for (const { id } of yield* all(ofTarget, of)) {
    yield* recordHistory({ ...entry, campaignId: id });
  }
}
