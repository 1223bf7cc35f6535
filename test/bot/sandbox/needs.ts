import { describe } from '@jest/globals';

/** Tests that a machine cannot run are skipped in words that nobody overlooks. */

export const isRoot = process.getuid?.() === 0;

/** `describe` where the machine has what is needed; otherwise it skips, and says so. */
export function describeWhere(has: boolean, what: string): typeof describe | typeof describe.skip {
  if (has) return describe;
  process.stderr.write(`\n*** SKIPPED here, as something is missing: ${what} ***\n\n`);
  return describe.skip;
}
