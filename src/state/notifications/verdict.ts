import type { Answer } from './post.js';

/** What an answer means for a delivery. */
export type Verdict =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'refused'; readonly status: number; readonly why: string }
  | { readonly kind: 'again'; readonly why: string; readonly waitMs: number };

/** Statuses below 500 that pass: Request Timeout, Too Early, Too Many Requests. */
const passing = [408, 425, 429];
/** No wait that a receiver wants is longer, milliseconds. */
const longestWaitMs = 60 * 60 * 1000;

export function verdictOf({ status, retryAfter }: Answer, now: number): Verdict {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const why = `status ${status}`;
  if (status >= 400 && status < 500 && !passing.includes(status)) {
    return { kind: 'refused', status, why };
  }
  return { kind: 'again', why, waitMs: waitOf(retryAfter, now) };
}

/** Of the header Retry-After: seconds, or a date of HTTP; 0 for anything else. */
function waitOf(header: string | undefined, now: number): number {
  if (header === undefined) return 0;
  const text = header.trim();
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(waitMs) ? 0 : Math.min(Math.max(waitMs, 0), longestWaitMs);
}
