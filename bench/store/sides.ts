import { OperationContext } from '../../src/core/context.js';
import { silentLog } from '../../src/core/log.js';
import { createMetrics } from '../../src/metrics.js';
import type { Operation } from '../../src/store/operation.js';
import { Store } from '../../src/store/store.js';
import type { LoopDelay } from '../latencies.js';
import { type Batch, eachInFlight } from '../measure.js';

/** Operations of the store, by one way or another. */
export interface Side {
  run<Input, Output>(operation: Operation<Input, Output>, input: Input): Promise<Output>;
  all<Input, Output>(
    operation: Operation<Input, Output>,
    inputs: readonly Input[],
    inFlight?: number,
  ): Promise<Batch<Output>>;
  close(): Promise<void>;
}

/** Calls under way at once: about what a busy fleet keeps waiting. */
export const inFlight = 100;

/** As the master does it: threads, group commit, deadlines, metrics. */
export async function throughStore(
  directory: string,
  loop: LoopDelay,
  synchronous: 'full' | 'normal' = 'full',
  url = '',
): Promise<Side> {
  const store = await Store.open({
    directory,
    url,
    synchronous,
    readers: 2,
    checkpointIntervalMs: 1000,
    maxQueuedWrites: 10_000,
    maxQueuedReads: 1000,
    metrics: createMetrics(),
    log: silentLog,
    retry: { maxRetries: 5, firstDelayMs: 10, maxDelayMs: 1000, multiplier: 2 },
    onFailure: (error) => {
      throw error;
    },
  });
  const run: Side['run'] = async (operation, input) => {
    const about = { operation: operation.name, timeoutMs: 60_000, requestId: '', log: silentLog };
    const ctx = new OperationContext(about);
    return store.run(ctx, operation, input).finally(() => ctx.end());
  };
  return {
    run,
    all: (operation, inputs, atOnce = inFlight) =>
      loop.watch(() => eachInFlight(inputs, atOnce, (input) => run(operation, input))),
    close: () => store.close(),
  };
}
