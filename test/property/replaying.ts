/**
 * What fast-check printed of a failure, to see it again:
 * `SEED=-304493328 SEED_PATH=0:1:3 make test ONLY=dist/test/property/store.test.js`.
 */
export function replaying(): { seed?: number; path?: string } {
  const { SEED: seed, SEED_PATH: path } = process.env;
  return {
    ...(seed !== undefined && { seed: Number(seed) }),
    ...(path !== undefined && { path }),
  };
}

/**
 * A property that is told for this long: what begins later passes untold, and what
 * has begun is told to its end. (fast-check's own limits end the test with a story
 * still under way, and what it stands on is removed under it.)
 */
export function forAtMost<Given extends unknown[]>(
  limitMs: number,
  tell: (...given: Given) => Promise<void>,
): (...given: Given) => Promise<void> {
  const over = AbortSignal.timeout(limitMs);
  return async (...given) => {
    if (!over.aborted) await tell(...given);
  };
}
