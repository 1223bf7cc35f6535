import { hostname } from 'node:os';
import { UserError } from '../../../core/errors.js';
import type { ClusterOptions, OwnFigures, Peer } from '../../cluster.js';
import type { Session } from '../session.js';

/*
 * The statements of the table `masters`. Times are those of the database's server.
 */

/** Class of the locks by which a master's session stands for its row: "pmas" in ASCII. */
const lockClass = 0x706d6173;

/** Farthest that a master's clock may be from the database's: records carry its times. */
const mostClockErrorMs = 60_000;

interface Row extends Peer {
  readonly shard: number;
  readonly pid: number;
  readonly host: string;
}

const columns = `id, address, version, shard, pid, host, bots_online AS "botsOnline",
  free_slots AS "freeSlots", executions_per_second AS "executionsPerSecond"`;

export async function listMasters(session: Session): Promise<Row[]> {
  const { rows } = await session.query({
    name: 'masters',
    text: `SELECT ${columns} FROM masters ORDER BY id`,
  });
  return rows as Row[];
}

/**
 * Adds this master. The row of an earlier process with its address is removed: its session is
 * over, so it is gone.
 *
 * @throws UserError when the address is another master's, or versions differ
 */
export async function enter(
  session: Session,
  { address, version }: ClusterOptions,
): Promise<{ id: number; shard: number }> {
  await session.query({ text: 'BEGIN' });
  try {
    await session.query({ text: 'LOCK TABLE masters IN EXCLUSIVE MODE' });
    const others = await listMasters(session);
    const holder = others.find((one) => one.address === address);
    if (holder && !(await isOver(session, holder.id))) throw taken(holder);
    const unlike = others.find((one) => one !== holder && one.version !== version);
    if (unlike) throw differs(unlike, version);
    await remove(session, holder ? [holder.id] : []);
    const used = new Set(others.filter((one) => one !== holder).map(({ shard }) => shard));
    let shard = 1;
    while (used.has(shard)) shard++;
    const { rows } = await session.query({
      text: `INSERT INTO masters (address, shard, version, pid, host)
        VALUES ($1, $2, $3, $4, $5) RETURNING id`,
      values: [address, shard, version, process.pid, hostname()],
    });
    const { id } = rows[0] as { id: number };
    await standFor(session, id);
    await session.query({ text: 'COMMIT' });
    return { id, shard };
  } catch (error) {
    session.send({ text: 'ROLLBACK' });
    throw error;
  }
}

/** The session stands for the master from now on: while it lasts, the address is taken. */
export async function standFor(session: Session, id: number): Promise<void> {
  await session.query({
    text: 'SELECT pg_try_advisory_lock($1, $2)',
    values: [lockClass, lockOf(id)],
  });
}

async function isOver(session: Session, id: number): Promise<boolean> {
  const { rows } = await session.query({
    text: 'SELECT pg_try_advisory_xact_lock($1, $2) AS free',
    values: [lockClass, lockOf(id)],
  });
  return (rows[0] as { free: boolean }).free;
}

/** Locks have 31 bits; two of 2^31 starts are never there at once. */
const lockOf = (id: number) => id % 2 ** 31;

/** @returns whether the row is still there */
export async function beat(session: Session, id: number, figures: OwnFigures): Promise<boolean> {
  const { botsOnline, freeSlots, executionsPerSecond } = figures;
  const { rowCount } = await session.query({
    name: 'beat',
    text: `UPDATE masters SET seen_at = clock_timestamp(), bots_online = $2, free_slots = $3,
      executions_per_second = $4 WHERE id = $1`,
    values: [id, botsOnline, freeSlots, executionsPerSecond],
  });
  return rowCount === 1;
}

/**
 * Declares dead who was not seen for so long. Nobody, where the server stood still meanwhile:
 * then this master was not seen, either.
 */
export async function bury(
  session: Session,
  { id, ttlMs }: { id: number; ttlMs: number },
): Promise<void> {
  await session.query({
    name: 'bury',
    text: `DELETE FROM masters
      WHERE seen_at < clock_timestamp() - CAST($2 AS integer) * interval '1 millisecond'
        AND EXISTS (SELECT 1 FROM masters WHERE id = $1
          AND seen_at > clock_timestamp() - CAST($2 AS integer) * interval '0.5 milliseconds')`,
    values: [id, ttlMs],
  });
}

export async function remove(session: Session, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await session.query({ text: 'DELETE FROM masters WHERE id = ANY($1)', values: [ids] });
}

/**
 * The database must keep what it acknowledged: after a failover that lost commits, a job could
 * be handed out twice under one fence.
 *
 * @throws UserError
 */
export async function expectReplicated(session: Session, isAllowed: boolean): Promise<void> {
  const { rows } = await session.query({
    text: `SELECT current_setting('synchronous_standby_names') AS standbys`,
  });
  const { standbys } = rows[0] as { standbys: string };
  if (standbys.trim() !== '' || isAllowed) return;
  throw new UserError(
    'cluster.address: the database has no synchronous standby (synchronous_standby_names is empty), so its failover would lose acknowledged writes: set one up, or set cluster.allow_lost_writes: true if the database has replication of its own, or you take that risk',
  );
}

/** @throws UserError when this machine's clock is far from the database's */
export async function expectClock(session: Session, now: () => number): Promise<void> {
  const before = now();
  const { rows } = await session.query({
    text: 'SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) AS at',
  });
  const offMs = (before + now()) / 2 - (rows[0] as { at: number }).at;
  if (Math.abs(offMs) <= mostClockErrorMs) return;
  const by = `${Math.round(Math.abs(offMs) / 1000)} s ${offMs > 0 ? 'ahead of' : 'behind'}`;
  throw new UserError(
    `cluster.address: the clock of this machine is ${by} that of the database's server: set both by NTP`,
  );
}

const taken = ({ pid, host }: Row): UserError =>
  new UserError(
    `cluster.address: another master has this address (process ${pid} on ${host}): give this one its own, or stop that one`,
  );

const differs = (other: Row, version: string): UserError =>
  new UserError(
    `cluster.address: the master at ${other.address} is PandaFuzz ${other.version}, and this one is ${version}: run one version on all masters of a database`,
  );
