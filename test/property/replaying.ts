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
