import { describeFailure, failureOf, isAway, isCancelled } from '../client/failure.js';
import { complain } from './output.js';

/**
 * Runs an action for each item, even after one has failed; prints a line for each refusal
 * of the master.
 *
 * @returns the number of refusals
 */
export async function eachOf(
  names: readonly string[],
  address: string,
  act: (name: string) => Promise<void>,
): Promise<number> {
  let refused = 0;
  for (const name of names) {
    try {
      await act(name);
    } catch (error) {
      if (isAway(error) || isCancelled(error) || failureOf(error) === undefined) throw error;
      refused += 1;
      complain(`${name}: ${describeFailure(error, address)}`);
    }
  }
  return refused;
}
