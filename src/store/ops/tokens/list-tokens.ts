import { pageOperation, readOperation } from '../../operation.js';
import { all, one, page, statement } from '../../statement.js';
import { type KnownToken, type TokenRow, tokenColumns } from './token-rows.js';

const newest = statement<{ beforeId: string; limit: number }, TokenRow>(`
  SELECT ${tokenColumns} FROM tokens WHERE id < @beforeId ORDER BY id DESC LIMIT @limit`);
const known = statement<{ afterId: string; limit: number }, KnownToken>(`
  SELECT ${tokenColumns}, hash FROM tokens WHERE id > @afterId ORDER BY id LIMIT @limit`);

const byId = statement<{ id: string }, KnownToken>(
  `SELECT ${tokenColumns}, hash FROM tokens WHERE id = @id`,
);

/** A token with what finds it; undefined for one that is deleted. */
export const knownToken = readOperation('known_token', (id: string) => one(byId, { id }));

/** The tokens before `beforeId`, newest first. */
export const listTokens = pageOperation(
  'list_tokens',
  (keys: { beforeId: string; limit: number }) => page(newest, keys),
);

/** The tokens after `afterId` with what finds them, oldest first. */
export const knownTokens = pageOperation(
  'known_tokens',
  (keys: { afterId: string; limit: number }) => all(known, keys),
);
