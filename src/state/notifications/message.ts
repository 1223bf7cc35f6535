import { createHmac } from 'node:crypto';
import type { CrashGroupRow } from '../../store/crash-rows.js';
import type { Notice } from '../../store/ops/notifications/next-notice.js';

/** One event for one webhook. The same delivery keeps its id, however often it is tried. */
export interface Delivery {
  readonly id: string;
  readonly event: Notice['kind'];
  /** When the event happened, ms since 1970. */
  readonly time: number;
  readonly body: string;
}

/** The message that docs/webhooks.md describes. */
export function deliveryOf(webhook: string, { sequence, time, kind, group }: Notice): Delivery {
  const id = `${webhook}-${sequence}`;
  const message = { event: kind, time: iso(time), delivery: id, group: groupMessage(group) };
  return { id, event: kind, time, body: JSON.stringify(message) };
}

const iso = (timeMs: number): string => new Date(timeMs).toISOString();

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

/** "file:line" of the innermost frame; "file" without a line; empty when neither is known. */
function locationOf(frames: string): string {
  const [top] = JSON.parse(frames) as { file?: string; line?: number }[];
  if (!top?.file) return '';
  return top.line ? `${top.file}:${top.line}` : top.file;
}

/**
 * Headers of one try. The signature covers the time of the try, so that a receiver can
 * refuse a message that somebody recorded and sends again later.
 */
export function headersOf(
  { id, event, body }: Delivery,
  { secret, now, version }: { secret: string; now: number; version: string },
): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return {
    'Content-Type': 'application/json',
    'User-Agent': `PandaFuzz/${version}`,
    'X-PandaFuzz-Delivery': id,
    'X-PandaFuzz-Event': event,
    'X-PandaFuzz-Timestamp': timestamp,
    'X-PandaFuzz-Signature': `sha256=${signature}`,
  };
}
