import { describeFailure, failureOf, isAway, isCancelled } from '../client/failure.js';
import { UserError } from '../core/errors.js';
import { complain } from './output.js';

/**
 * Runs an action for each item, even after one has failed; prints a line for each refusal
 * of the master, and for each name that is not clear.
 *
 * @returns the number of failures
 */
export async function eachOf(
  names: readonly string[],
  address: string,
  act: (name: string) => Promise<void>,
): Promise<number> {
  let failed = 0;
  for (const name of names) {
    try {
      await act(name);
    } catch (error) {
      if (!isOfOne(error)) throw error;
      failed += 1;
      // A UserError names it already.
      complain(
        error instanceof UserError ? error.message : `${name}: ${describeFailure(error, address)}`,
      );
    }
  }
  return failed;
}

/** Whether the others may still do. An interrupt is a UserError of its own exit code. */
const isOfOne = (error: unknown): boolean =>
  error instanceof UserError
    ? error.exitCode === 1
    : !isAway(error) && !isCancelled(error) && failureOf(error) !== undefined;
