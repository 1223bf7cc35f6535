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
 * Runs the stories of a property for a bounded time: one that begins later passes without
 * running, and one that has begun runs to its end. (fast-check's own limits end the test in
 * the middle of a story, and its folders are removed under it.)
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
