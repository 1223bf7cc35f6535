/** Pieces of SQL that several operations share. */

/** Later than any time there will be, milliseconds since 1970. */
const never = Number.MAX_SAFE_INTEGER;

/** The earlier of two times, either of which may be NULL. */
export const earlier = (a: string, b: string): string =>
  `nullif(min(coalesce(${a}, ${never}), coalesce(${b}, ${never})), ${never})`;

/** Somebody wants the run stopped, for whatever reason. */
export const stopRequested =
  'coalesce(cancel_requested_at, pause_requested_at, timed_out_at) IS NOT NULL';
