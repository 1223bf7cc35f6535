import { readOperation } from '../../operation.js';
import { type BotRow, botColumns } from '../../rows.js';
import { one, statement } from '../../statement.js';

const select = statement<{ id: string }, BotRow>(
  `SELECT ${botColumns} FROM bots WHERE id = @id AND forgotten_at IS NULL`,
);

/** A bot; undefined for one that is unknown or was forgotten. */
export const getBot = readOperation('get_bot', (id: string) => one(select, { id }));
