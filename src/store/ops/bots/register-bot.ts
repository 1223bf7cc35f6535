import { writeOperation } from '../../operation.js';
import { type BotRow, botColumns } from '../../rows.js';
import { one, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

interface BotDescription {
  id: string;
  name: string;
  slots: number;
  memoryMib: number;
  diskMib: number;
  version: string;
  now: number;
  /** JSON array of objects. */
  engineDetails: string;
}

interface Texts {
  engines: string;
  labels: string;
}

const upsert = statement<BotDescription & Texts, BotRow>(`
  INSERT INTO bots (id, name, engines, slots, labels, memory_mib, disk_mib, version,
    registered_at, last_seen_at, engine_details)
  VALUES (@id, @name, @engines, @slots, @labels, @memoryMib, @diskMib, @version, @now, @now,
    @engineDetails)
  ON CONFLICT (name) WHERE forgotten_at IS NULL DO UPDATE SET
    engines = excluded.engines, slots = excluded.slots, labels = excluded.labels,
    memory_mib = excluded.memory_mib, disk_mib = excluded.disk_mib,
    version = excluded.version, last_seen_at = excluded.last_seen_at,
    engine_details = excluded.engine_details
  RETURNING ${botColumns}`);

/** Adds a bot under its name, or updates it; its id never changes. */
export const registerBot = writeOperation(
  'register_bot',
  'work',
  function* (
    input: BotDescription & {
      engines: readonly string[];
      labels: Readonly<Record<string, string>>;
    },
  ): Steps<BotRow> {
    const row = (yield* one(upsert, {
      ...input,
      engines: JSON.stringify(input.engines),
      labels: JSON.stringify(input.labels),
    })) as BotRow;
    yield* recordEvent(input.now, 'bot.registered', row.id, { version: row.version });
    return row;
  },
);
