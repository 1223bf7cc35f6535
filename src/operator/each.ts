import { describeFailure, failureOf, isAway, isCancelled } from '../client/failure.js';
import { complain } from './output.js';

/**
 * Does something for each of these, whatever becomes of the others; what a
 * master refuses is told in a line.
 *
 * @returns how many were refused
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
