import { hostname } from 'node:os';
import { UserError } from '../../core/errors.js';
import { OwnershipLost, PassingFault } from './faults.js';
import type { Session } from './session.js';

/**
 * The lock of a master's writing session: of one master alone, or shared by those of a cluster.
 * The number is ours alone ("pandafuz" in ASCII).
 */
const lock = '8097874982398752122';

interface Owner {
  readonly instance: string;
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}

/** Who takes the lock. */
export interface Holder {
  readonly instance: string;
  readonly isShared: boolean;
}

const described = ({ pid, host, since }: Owner): string =>
  ` (process ${pid} on ${host}, since ${since})`;

/** How the writing session of a master is named in pg_stat_activity. */
export const writerName = (instance: string): string => `pandafuzz writer ${instance}`;

/**
 * Whether the session has the lock now. One that an earlier session of the same master still
 * holds, whose end the server has not noticed, is taken from it.
 */
async function takeLock(session: Session, { instance, isShared }: Holder): Promise<boolean> {
  const take = isShared ? 'pg_try_advisory_lock_shared' : 'pg_try_advisory_lock';
  const taken = await session.query({ text: `SELECT ${take}(${lock}) AS taken` });
  if ((taken.rows[0] as { taken: boolean }).taken) return true;
  await session.query({
    text: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = $1 AND pid <> pg_backend_pid()
        AND datname = current_database()`,
    values: [writerName(instance)],
  });
  return false;
}

async function readOwner(session: Session): Promise<Owner | undefined> {
  const { rows } = await session.query({
    text: 'SELECT instance, pid, host, since FROM owner WHERE id = 1',
  });
  return rows[0] as Owner | undefined;
}

/**
 * Takes the database for a master that starts: the lock alone, as there may be no table yet.
 *
 * @throws PassingFault while another master has it
 */
export async function lockForStart(session: Session, holder: Holder): Promise<void> {
  if (!(await takeLock(session, holder))) throw new PassingFault('55P03', 'another master');
}

/** Why a master cannot start: another one has the database, which is named if it has written its name. */
export async function heldByOther(session: Session, isShared: boolean): Promise<UserError> {
  const addresses = await sharers(session).catch(() => []);
  if (!isShared && addresses.length > 0) {
    return new UserError(
      `database.url: the database belongs to a cluster (${addresses.join(', ')}): give this master a cluster.address to join it, or a database of its own`,
    );
  }
  const owner = await readOwner(session).catch(() => undefined);
  const who = `database.url: the database belongs to another master${owner ? described(owner) : ''}`;
  return new UserError(
    isShared
      ? `${who}, which has no cluster.address: start that one with one, or give this one a database of its own`
      : `${who}: stop that one, or give this one a database of its own`,
  );
}

async function sharers(session: Session): Promise<string[]> {
  const { rows } = await session.query({ text: 'SELECT address FROM masters ORDER BY id' });
  return (rows as { address: string }[]).map(({ address }) => address);
}

/** Writes down whose the database is now: no cluster's any more. */
export async function writeOwner(session: Session, instance: string, since: Date): Promise<void> {
  await session.query({
    text: `INSERT INTO owner (id, instance, pid, host, since) VALUES (1, $1, $2, $3, $4)
      ON CONFLICT (id) DO UPDATE SET instance = excluded.instance, pid = excluded.pid,
        host = excluded.host, since = excluded.since`,
    values: [instance, process.pid, hostname(), since.toISOString()],
  });
  await session.query({ text: 'DELETE FROM masters' });
}

/**
 * Takes the database again, in a new session of the same master.
 *
 * @throws PassingFault while the server still counts the lost session as its owner;
 *   OwnershipLost when another master has taken it meanwhile
 */
export async function lockAgain(session: Session, holder: Holder): Promise<void> {
  const { instance, isShared } = holder;
  const hasLock = await takeLock(session, holder);
  const owner = isShared ? undefined : await readOwner(session);
  if (!isShared && owner?.instance !== instance)
    throw new OwnershipLost(owner ? described(owner) : '');
  if (!hasLock) throw new PassingFault('55P03', 'the lost session still has the lock');
}
