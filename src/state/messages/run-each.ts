import type { InBackground } from '../../core/context.js';
import type { Operation } from '../../store/operation.js';
import type { Settled, Store } from '../../store/store.js';

/**
 * Runs gathered inputs as one background call of the store. Never rejects: an error of the
 * whole call is the outcome of each input.
 *
 * @returns the outcomes, in the order of the inputs
 */
export async function runEach<Input, Output>(
  store: Pick<Store, 'runEach'>,
  inBackground: InBackground,
  operation: Operation<Input, Output>,
  inputs: readonly Input[],
): Promise<readonly Settled<Output>[]> {
  try {
    return await inBackground(operation.name, (ctx) => store.runEach(ctx, operation, inputs));
  } catch (error) {
    return inputs.map(() => ({ ok: false, error }));
  }
}
