import { silentLog } from '../../src/core/log.js';
import { createMetrics } from '../../src/metrics.js';
import { type PostgresOptions, PostgresStore } from '../../src/store/postgres/store.js';
import type { StoreOptions } from '../../src/store/store.js';
import { atEnd, temporaryFolder } from '../endings.js';

export const optionsOf = (directory = temporaryFolder()): StoreOptions => ({
  directory,
  synchronous: 'full',
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

/** A store in this database. */
export async function openOn(
  url: string,
  wanted: Partial<PostgresOptions> = {},
): Promise<PostgresStore> {
  const store = await PostgresStore.open({ ...optionsOf(wanted.directory), url, ...wanted });
  atEnd(() => store.close());
  return store;
}
