/**
 * The seed of random tests. `make test` has always the same one: a fault that one story in a
 * thousand meets is not to stop a change that has nothing to do with it. `make explore` looks for
 * such faults: `SEED=random` is a new one each time.
 */
export const seed: number =
  process.env['SEED'] === 'random' ? Date.now() % 2 ** 31 : Number(process.env['SEED'] ?? 1);

/**
 * The seed, and what fast-check printed of a failure, to see it again:
 * `SEED=-304493328 SEED_PATH=0:1:3 make test ONLY=dist/test/property/store.test.js`.
 */
export function replaying(): { seed: number; path?: string } {
  const { SEED_PATH: path } = process.env;
  return { seed, ...(path !== undefined && { path }) };
}

/** How many stories a property is tried with; STORIES=100 for more. */
export const stories = Number(process.env['STORIES'] ?? 12);

/** Longest that one property takes with so many, ms. */
export const storiesLimitMs = stories * 2500;

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
