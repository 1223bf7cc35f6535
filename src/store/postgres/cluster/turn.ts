import type { Query, Session } from '../session.js';

/** One group of writes at a time in all masters of a cluster. "pandafuz" in ASCII, plus one. */
const lock = '8097874982398752123';

/** Who writes in a transaction, for its rows (schema.sql: master(), shard()). */
export interface Author {
  readonly id: number;
  readonly shard: number;
}

/**
 * The first statements of a group of writes: waits for the turn, which ends with the commit,
 * and says whose group it is. So the operations see what SQLite's see, one group after the
 * other, and need no rules for others beside them (docs/decisions/0820).
 */
export const beginTurn = ({ id, shard }: Author): Query[] => [
  { name: 'turn', text: `SELECT pg_advisory_xact_lock(${lock})` },
  {
    name: 'author',
    text: `SELECT set_config('pandafuzz.master', $1, true), set_config('pandafuzz.shard', $2, true)`,
    values: [String(id), String(shard)],
  },
];

/** Runs `work` in a turn that is longer than a transaction: of masters that start together. */
export async function inTurn(session: Session, work: () => Promise<void>): Promise<void> {
  await session.query({ text: `SELECT pg_advisory_lock(${lock})` });
  try {
    await work();
  } finally {
    session.send({ text: `SELECT pg_advisory_unlock(${lock})` });
  }
}
