import { pageOperation } from '../../operation.js';
import { type BotRow, botColumns } from '../../rows.js';

/** Newest first, those before `beforeId`. */
export const listBots = pageOperation('list_bots', (db) => {
  const select = db.prepare<[string, number], BotRow>(
    `SELECT ${botColumns} FROM bots
     WHERE forgotten_at IS NULL AND id < ? ORDER BY id DESC LIMIT ?`,
  );
  return (page: { beforeId: string; limit: number }): BotRow[] =>
    select.all(page.beforeId, page.limit);
});
