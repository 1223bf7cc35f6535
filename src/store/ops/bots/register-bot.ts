import { writeOperation } from '../../operation.js';
import { type BotRow, botColumns } from '../../rows.js';
import { eventRecorder } from '../events/record-event.js';

/** Makes a bot known by its name, or brings it up to date; its id never changes. */
export const registerBot = writeOperation('register_bot', 'work', (db) => {
  const upsert = db.prepare<[object], BotRow>(`
      INSERT INTO bots (id, name, engines, slots, labels, memory_mib, disk_mib, version,
        registered_at, last_seen_at)
      VALUES (@id, @name, @engines, @slots, @labels, @memoryMib, @diskMib, @version, @now, @now)
      ON CONFLICT (name) WHERE forgotten_at IS NULL DO UPDATE SET
        engines = excluded.engines, slots = excluded.slots, labels = excluded.labels,
        memory_mib = excluded.memory_mib, disk_mib = excluded.disk_mib,
        version = excluded.version, last_seen_at = excluded.last_seen_at
      RETURNING ${botColumns}`);
  const recordEvent = eventRecorder(db);
  return (input: {
    id: string;
    name: string;
    engines: readonly string[];
    slots: number;
    labels: Readonly<Record<string, string>>;
    memoryMib: number;
    diskMib: number;
    version: string;
    now: number;
  }): BotRow => {
    const row = upsert.get({
      ...input,
      engines: JSON.stringify(input.engines),
      labels: JSON.stringify(input.labels),
    }) as BotRow;
    recordEvent(input.now, 'bot.registered', row.id, { version: row.version });
    return row;
  };
});
