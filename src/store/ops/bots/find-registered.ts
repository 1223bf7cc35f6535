import { readOperation } from '../../operation.js';
import { type BotRow, botColumns } from '../../rows.js';
import { one, statement } from '../../statement.js';

const byIdentity = statement<{ identity: string }, BotRow>(`
  SELECT ${botColumns} FROM bots
  WHERE identity = @identity AND identity IS NOT NULL AND forgotten_at IS NULL`);
const byName = statement<{ name: string }, BotRow>(
  `SELECT ${botColumns} FROM bots WHERE name = @name AND forgotten_at IS NULL`,
);

/** The bot with this identity; without one, the bot with this name. */
export const findRegistered = readOperation(
  'find_registered',
  ({ identity, name }: { identity: string | undefined; name: string }) =>
    identity === undefined ? one(byName, { name }) : one(byIdentity, { identity }),
);
