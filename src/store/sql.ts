/** Pieces of SQL that several operations share. */

/** Later than any time there will be, milliseconds since 1970. */
const never = Number.MAX_SAFE_INTEGER;

/** The earlier of two times, either of which may be NULL. */
export const earlier = (a: string, b: string): string =>
  `nullif(min(coalesce(${a}, ${never}), coalesce(${b}, ${never})), ${never})`;

/** Attempts of a job that are used up. */
export const usedAttempts = '(failed_attempts + refused_attempts)';

/** The pause after the next failure: doubled with each, up to a longest one. */
export const retryPause = `min(@retryFirstMs << min(${usedAttempts}, 20), @retryMaxMs)`;

/** How long a job waits after a failure, for `retryPause`. */
export interface RetryPause {
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
}

/** Somebody wants the run stopped, for whatever reason. */
export const stopRequested =
  'coalesce(cancel_requested_at, pause_requested_at, timed_out_at) IS NOT NULL';
