import { silentLog } from '../src/core/log.js';
import { createMetrics } from '../src/metrics.js';
import type { StoreOptions } from '../src/store/store.js';
import { temporaryFolder } from './endings.js';

/** Of a store that a test opens, on whatever engine. */
export const storeOptions = (directory = temporaryFolder()): StoreOptions => ({
  directory,
  synchronous: 'normal',
  readers: 1,
  maxQueuedWrites: 1000,
  maxQueuedReads: 1000,
  retry: { maxRetries: 5, firstDelayMs: 10, maxDelayMs: 1000, multiplier: 2 },
  checkpointIntervalMs: 1000,
  metrics: createMetrics(),
  log: silentLog,
  onFailure: (error) => {
    throw error;
  },
});
