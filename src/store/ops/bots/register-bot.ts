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
}

const upsert = statement<
  BotDescription & { engines: string; labels: string; isolation: number; isolationGaps: string },
  BotRow
>(`
  INSERT INTO bots (id, name, engines, slots, labels, memory_mib, disk_mib, version,
    registered_at, last_seen_at, isolation, isolation_gaps)
  VALUES (@id, @name, @engines, @slots, @labels, @memoryMib, @diskMib, @version, @now, @now,
    @isolation, @isolationGaps)
  ON CONFLICT (name) WHERE forgotten_at IS NULL DO UPDATE SET
    engines = excluded.engines, slots = excluded.slots, labels = excluded.labels,
    memory_mib = excluded.memory_mib, disk_mib = excluded.disk_mib,
    version = excluded.version, last_seen_at = excluded.last_seen_at,
    isolation = excluded.isolation, isolation_gaps = excluded.isolation_gaps
  RETURNING ${botColumns}`);

/** Adds a bot under its name, or updates it; its id never changes. */
export const registerBot = writeOperation(
  'register_bot',
  'work',
  function* (
    input: BotDescription & {
      engines: readonly string[];
      labels: Readonly<Record<string, string>>;
      /** As pandafuzz.v1.Isolation; 0 or nothing: not stated. */
      isolation?: number;
      isolationGaps?: readonly string[];
    },
  ): Steps<BotRow> {
    const row = (yield* one(upsert, {
      ...input,
      engines: JSON.stringify(input.engines),
      labels: JSON.stringify(input.labels),
      isolation: input.isolation ?? 0,
      isolationGaps: JSON.stringify(input.isolationGaps ?? []),
    })) as BotRow;
    yield* recordEvent(input.now, 'bot.registered', row.id, { version: row.version });
    return row;
  },
);
