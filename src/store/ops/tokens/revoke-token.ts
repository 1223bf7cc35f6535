import { NotFoundError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { type TokenRow, tokenColumns } from './token-rows.js';

interface RevokeToken {
  id: string;
  by: string;
  now: number;
}

const revoke = statement<RevokeToken>(`
  UPDATE tokens SET revoked_at = @now, revoked_by = @by WHERE id = @id AND revoked_at IS NULL`);
const select = statement<{ id: string }, TokenRow>(
  `SELECT ${tokenColumns} FROM tokens WHERE id = @id`,
);

/** Ends a token for good. A second time is no error. @throws NotFoundError */
export const revokeToken = writeOperation(
  'revoke_token',
  'work',
  function* (input: RevokeToken): Steps<TokenRow> {
    const { id, by, now } = input;
    if ((yield* run(revoke, input)) > 0) yield* recordEvent(now, 'token.revoked', id, { by });
    const row = yield* one(select, { id });
    if (!row) throw new NotFoundError({ resource: 'token', id });
    return row;
  },
);
