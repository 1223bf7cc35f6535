import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { findProgram } from './programs.js';

/** For `ipcrm` to end, milliseconds. */
const timeoutMs = 5000;
/** Segments removed at once. */
const mostSegments = 256;

/**
 * Removes the System V shared memory that processes which have ended left behind, as AFL++
 * does when it is killed: the kernel keeps it until it is removed by its id. Segments that a
 * living process still uses stay.
 */
export async function removeSegmentsOf(pids: readonly number[]): Promise<void> {
  await remove(segmentsOf(pids, await table()));
}

/** The same by the user of a run, which nobody else has. */
export async function removeSegmentsOfUser(user: number): Promise<void> {
  await remove(segmentsOfUser(user, await table()));
}

const table = () => readFile('/proc/sysvipc/shm', 'utf8').catch(() => '');

async function remove(ids: readonly string[]): Promise<void> {
  const ipcrm = ids.length > 0 ? findProgram(['ipcrm']) : undefined;
  if (!ipcrm) return;
  const args = ids.slice(0, mostSegments).flatMap((id) => ['-m', id]);
  // Another may have removed one in between.
  await promisify(execFile)(ipcrm, args, { timeout: timeoutMs }).catch(() => {});
}

/** @param table as in /proc/sysvipc/shm: key, shmid, perms, size, cpid, lpid, nattch, … */
export function segmentsOf(pids: readonly number[], table: string): string[] {
  return table.split('\n').flatMap((line) => {
    const [, id, , , creator, , attached] = line.trim().split(/\s+/);
    return id && attached === '0' && pids.includes(Number(creator)) ? [id] : [];
  });
}

/** @param table as above: …, nattch, uid, gid, cuid, … */
export function segmentsOfUser(user: number, table: string): string[] {
  return table.split('\n').flatMap((line) => {
    const [, id, , , , , attached, , , creator] = line.trim().split(/\s+/);
    return id && attached === '0' && creator === String(user) ? [id] : [];
  });
}
