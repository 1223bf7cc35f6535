import type { Hint } from '../../cluster.js';
import type { Session } from '../session.js';

/*
 * Rows of the table `signals`: triggers write them, in the transaction of the change. As
 * groups of writes take turns (turn.ts), numbers are in the order of the commits: who has
 * seen one has seen all before it.
 */

/** A master that reads none for as long has been declared dead before. */
const keptFor = '10 minutes';
const pageSize = 1000;
const deletedAtOnce = 10_000;

/** The last number of each log that the masters follow. */
export interface Logs {
  readonly events: number;
  readonly signals: number;
}

export async function lastOfLogs(session: Session): Promise<Logs> {
  const { rows } = await session.query({
    name: 'last_of_logs',
    text: `SELECT (SELECT coalesce(max(sequence), 0) FROM events) AS events,
      (SELECT coalesce(max(sequence), 0) FROM signals) AS signals`,
  });
  return rows[0] as Logs;
}

interface Page {
  readonly after: number;
  readonly upTo: number;
  /** A master's own changes it knows. */
  readonly except: number;
}

export async function listSignals(
  session: Session,
  { after, upTo, except }: Page,
): Promise<{ hints: readonly Hint[]; last: number }> {
  const { rows } = await session.query({
    name: 'signals',
    text: `SELECT sequence, kind, subject, master FROM signals
      WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence LIMIT ${pageSize}`,
    values: [after, upTo],
  });
  const found = rows as (Hint & { sequence: number; master: number })[];
  const isAll = found.length < pageSize;
  const last = isAll ? upTo : (found.at(-1)?.sequence ?? upTo);
  return { hints: found.filter(({ master }) => master !== except), last };
}

export async function forgetSignals(session: Session): Promise<void> {
  let deleted: number;
  do {
    const { rowCount } = await session.query({
      name: 'forget_signals',
      text: `DELETE FROM signals WHERE sequence IN (
        SELECT sequence FROM signals WHERE at < clock_timestamp() - interval '${keptFor}'
        ORDER BY sequence LIMIT ${deletedAtOnce})`,
    });
    deleted = rowCount ?? 0;
  } while (deleted === deletedAtOnce);
}
