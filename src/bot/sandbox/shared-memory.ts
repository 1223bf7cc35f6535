import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { sleep, systemClock } from '../../core/clock.js';
import { findProgram } from './programs.js';

/** For `ipcrm` to end, milliseconds. */
const timeoutMs = 5000;
/** Segments removed at once. */
const mostSegments = 256;
/** Looks at processes that are ending, and the time between two, milliseconds. */
const mostLooks = 20;
const betweenLooksMs = 50;
const neverAborted = new AbortController().signal;

/**
 * Removes the System V shared memory that processes which have ended left behind, as AFL++
 * does when it is killed: the kernel keeps it until it is removed by its id. Processes that
 * are just ending are waited for, a second at most.
 *
 * @param isAttached also segments that a process still uses, which then go with that process:
 *   for processes of which the caller knows that they were its own
 */
export async function removeSegmentsOf(pids: readonly number[], isAttached = false): Promise<void> {
  for (let look = 0; look < mostLooks; look++) {
    const segments = await table();
    if (segmentsOf(pids, segments, true).length === 0) return;
    const ended: number[] = [];
    for (const pid of pids) if (await hasEnded(pid)) ended.push(pid);
    await remove(segmentsOf(ended, segments, isAttached));
    if (ended.length === pids.length && isAttached) return;
    await sleep(systemClock, betweenLooksMs, neverAborted);
  }
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

/** A process that nobody has waited for yet has ended, too. */
async function hasEnded(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat === '' || /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}

/** @param table as in /proc/sysvipc/shm: key, shmid, perms, size, cpid, lpid, nattch, … */
export function segmentsOf(pids: readonly number[], table: string, isAttached = false): string[] {
  return table.split('\n').flatMap((line) => {
    const [, id, , , creator, , attached] = line.trim().split(/\s+/);
    const isFree = isAttached || attached === '0';
    return id && isFree && pids.includes(Number(creator)) ? [id] : [];
  });
}

/** @param table as above: …, nattch, uid, gid, cuid, … */
export function segmentsOfUser(user: number, table: string): string[] {
  return table.split('\n').flatMap((line) => {
    const [, id, , , , , attached, , , creator] = line.trim().split(/\s+/);
    return id && attached === '0' && creator === String(user) ? [id] : [];
  });
}
