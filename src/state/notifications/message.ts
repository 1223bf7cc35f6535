import { createHmac } from 'node:crypto';
import type { FuzzCampaignRow } from '../../store/campaign-rows.js';
import type { CrashGroupRow } from '../../store/crash-rows.js';
import type { Delivery, Sent } from './delivery.js';

/** The message that docs/webhooks.md describes, for destinations of kind `json`. */
export function jsonBody({ id, event, time, sent }: Delivery): string {
  return JSON.stringify({ event, time: iso(time), delivery: id, ...subjectOf(sent) });
}

const iso = (timeMs: number): string => new Date(timeMs).toISOString();

function subjectOf(sent: Sent): object {
  if (sent.about === 'group') return { group: groupMessage(sent.group) };
  if (sent.about === 'campaign') return { campaign: campaignMessage(sent.campaign, sent.text) };
  return sent.about === 'bots' ? { bots: { count: sent.count, first: sent.bots } } : {};
}

function groupMessage(row: CrashGroupRow): object {
  return {
    id: row.id,
    project: row.project,
    target: row.target_name,
    kind: row.kind,
    message: row.message,
    top_frame: row.top_frame,
    location: locationOf(row.frames),
    hits: row.hits,
    kept: row.count,
    status: row.status,
    security: row.security === 1,
    first_seen: iso(row.first_found_at),
    last_seen: iso(row.last_found_at),
    reproducer_crash_id: row.reproducer_crash_id,
    fixed_in_sha256: row.fixed_in_sha256 ?? '',
    merged_into: row.merged_into ?? '',
  };
}

const campaignMessage = (row: FuzzCampaignRow, reason: string): object => ({
  id: row.id,
  project: row.project,
  name: row.name,
  target: row.target_name,
  state: row.state,
  reason,
  runs: row.runs,
  finding_runs: row.finding_runs,
  cpu_seconds: row.cpu_ms / 1000,
  crash_groups: row.crash_groups,
  last_find: row.last_find_at === null ? '' : iso(row.last_find_at),
});

/** "file:line" of the innermost frame; "file" without a line; empty when neither is known. */
export function locationOf(frames: string): string {
  const [top] = JSON.parse(frames) as { file?: string; line?: number }[];
  if (!top?.file) return '';
  return top.line ? `${top.file}:${top.line}` : top.file;
}

/**
 * Headers of one try of a signed body. The signature covers the time of the try, so that a
 * receiver can refuse a message that somebody recorded and sends again later.
 */
export function headersOf(
  { id, event, body }: { id: string; event: string; body: string },
  { secret, now, version }: { secret: string; now: number; version: string },
): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return {
    ...plainHeaders(version),
    'X-PandaFuzz-Delivery': id,
    'X-PandaFuzz-Event': event,
    'X-PandaFuzz-Timestamp': timestamp,
    'X-PandaFuzz-Signature': `sha256=${signature}`,
  };
}

/** Of a body that is not signed. */
export const plainHeaders = (version: string): Record<string, string> => ({
  'Content-Type': 'application/json',
  'User-Agent': `PandaFuzz/${version}`,
});
