import { readOperation } from '../../operation.js';
import { one, statement } from '../../statement.js';

/** What another master may have changed of a bot. */
export interface BotNow {
  drain_requested_at: number | null;
  forgotten_at: number | null;
  /** The master of a cluster that has its stream; null: none. */
  master: number | null;
}

const select = statement<{ id: string }, BotNow>({
  sqlite: 'SELECT drain_requested_at, forgotten_at, NULL AS master FROM bots WHERE id = @id',
  postgres: 'SELECT drain_requested_at, forgotten_at, master FROM bots WHERE id = @id',
});

/** A bot as it is now; undefined for one that is unknown. */
export const lookAtBot = readOperation('look_at_bot', (id: string) => one(select, { id }));
