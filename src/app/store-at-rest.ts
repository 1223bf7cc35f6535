import { createLog, type Logger } from '../core/log.js';
import { createMetrics } from '../metrics.js';
import { Store } from '../store/store.js';

/**
 * The store of a master that is stopped, without its blobs.
 *
 * @throws UserError when its master runs
 */
export async function openAtRest(where: {
  directory: string;
  url?: string;
}): Promise<{ store: Store; log: Logger }> {
  const log = createLog({ level: 'error', format: 'auto' });
  const store = await Store.open({
    ...where,
    blobs: 'unused',
    synchronous: 'full',
    readers: 1,
    maxQueuedWrites: 100,
    maxQueuedReads: 100,
    retry: { maxRetries: 5, firstDelayMs: 10, maxDelayMs: 1000, multiplier: 2 },
    checkpointIntervalMs: 1000,
    metrics: createMetrics(),
    log,
    onFailure: (error) => {
      throw error;
    },
  });
  return { store, log };
}
