import { readOperation } from '../../operation.js';
import { type BotRow, botColumns } from '../../rows.js';

/** A bot that is known; undefined for one that was forgotten. */
export const getBot = readOperation('get_bot', (db) => {
  const select = db.prepare<[string], BotRow>(
    `SELECT ${botColumns} FROM bots WHERE id = ? AND forgotten_at IS NULL`,
  );
  return (id: string): BotRow | undefined => select.get(id);
});
