const hourMs = 3_600_000;

/** For how long buckets of each length, in seconds, are kept at most, milliseconds. */
export const keptMs: ReadonlyMap<number, number> = new Map([
  [10, hourMs],
  [60, 48 * hourMs],
  [600, 365 * 24 * hourMs],
]);
