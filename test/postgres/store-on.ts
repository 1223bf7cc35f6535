import { type PostgresOptions, PostgresStore } from '../../src/store/postgres/store.js';
import type { StoreOptions } from '../../src/store/store.js';
import { atEnd } from '../endings.js';
import { storeOptions } from '../store-options.js';

export const optionsOf = (directory?: string): StoreOptions => ({
  ...storeOptions(directory),
  synchronous: 'full',
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
