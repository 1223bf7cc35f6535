import { readOperation } from '../operation.js';
import type { BotRow } from '../rows.js';

export const getBot = readOperation('get_bot', (db) => {
  const select = db.prepare<[string], BotRow>('SELECT * FROM bots WHERE id = ?');
  return (id: string): BotRow | undefined => select.get(id);
});
