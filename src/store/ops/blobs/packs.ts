import { pageOperation, readOperation, writeOperation } from '../../operation.js';
import { integersOf } from '../../sql.js';
import { all, one, run, type Steps, statement } from '../../statement.js';

export interface PackRow {
  readonly id: number;
  /** End of the last entry that a row refers to, or has referred to. */
  readonly size_bytes: number;
  /** Of entries that rows of blobs refer to. */
  readonly live_bytes: number;
}

const last = statement<object, PackRow>(
  'SELECT id, size_bytes, live_bytes FROM packs WHERE id > 0 ORDER BY id DESC LIMIT 1',
);
const known = statement<{ ids: string }, { id: number }>(
  `SELECT packs.id FROM ${integersOf('@ids')} AS wanted JOIN packs ON packs.id = wanted.value`,
);
const mostlyDead = statement<{ limit: number }, PackRow>(`
  SELECT id, size_bytes, live_bytes FROM packs
  WHERE retired_at IS NULL AND size_bytes > live_bytes * 2 AND live_bytes >= 0
  ORDER BY live_bytes, id LIMIT @limit`);
const list = statement<{ after: number; limit: number }, PackRow>(`
  SELECT id, size_bytes, live_bytes FROM packs
  WHERE id > @after AND retired_at IS NULL AND live_bytes >= 0 ORDER BY id LIMIT @limit`);
const retire = statement<{ id: number; now: number }>(
  'UPDATE packs SET retired_at = @now WHERE id = @id AND live_bytes = 0 AND retired_at IS NULL',
);
const retired = statement<{ before: number; limit: number }, PackRow>(`
  SELECT id, size_bytes, live_bytes FROM packs
  WHERE retired_at < @before AND live_bytes = 0
  ORDER BY retired_at, id LIMIT @limit`);
const forget = statement<{ id: number }>(
  'DELETE FROM packs WHERE id = @id AND live_bytes = 0 AND retired_at IS NOT NULL',
);

/** The newest pack that the database knows. */
export const lastPack = readOperation('last_pack', (_: null) => one(last, {}));

/** Those of the packs that the database knows. */
export const knownPacks = pageOperation('known_packs', function* (ids: readonly number[]): Steps<
  number[]
> {
  const found = yield* all(known, { ids: JSON.stringify(ids) });
  return found.map(({ id }) => id);
});

/** Packs of which less than half is referred to, those with the least of that first. */
export const mostlyDeadPacks = pageOperation('mostly_dead_packs', (limit: number) =>
  all(mostlyDead, { limit }),
);

/** Packs that entries may be read from, in order, behind the one of id `after`. */
export const listPacks = pageOperation('list_packs', (input: { after: number; limit: number }) =>
  all(list, input),
);

/**
 * Notes that nothing refers to a pack any more. Readers that began before may still read it.
 *
 * @returns 1, or 0 when something refers to it
 */
export const retirePack = writeOperation(
  'retire_pack',
  'upkeep',
  (input: { id: number; now: number }) => run(retire, input),
);

/** Packs that were retired before `before`. */
export const retiredPacks = pageOperation(
  'retired_packs',
  (input: { before: number; limit: number }) => all(retired, input),
);

/** Forgets a retired pack whose file is gone. */
export const forgetPack = writeOperation('forget_pack', 'upkeep', (id: number) =>
  run(forget, { id }),
);
