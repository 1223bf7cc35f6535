import { pageOperation } from '../../operation.js';
import { type BotRow, botColumns } from '../../rows.js';
import { page, statement } from '../../statement.js';

interface Page {
  beforeId: string;
  limit: number;
}

const select = statement<Page, BotRow>(`
  SELECT ${botColumns} FROM bots
  WHERE forgotten_at IS NULL AND id < @beforeId ORDER BY id DESC LIMIT @limit`);

/** The bots before `beforeId`, newest first. */
export const listBots = pageOperation('list_bots', (keys: Page) => page(select, keys));
