import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { sleep, systemClock } from '../../core/clock.js';
import type { Logger } from '../../core/log.js';

/** What the processes of a run have in common; one of these is enough. */
export interface Belongings {
  /** They work in this folder or below it. */
  readonly folder?: string | undefined;
  /** Beginning of the value of PANDAFUZZ_RUN in their environment. */
  readonly mark?: string | undefined;
  /** Their user, which no other process has. */
  readonly user?: number | undefined;
}

/** The variable by which a run's processes are known. */
export const markName = 'PANDAFUZZ_RUN';

/** A process may start others while it is looked for; so often the list is gone through. */
const mostRounds = 50;
const lookAgainMs = 5;
const never = new AbortController().signal;

/**
 * Kills the processes of a run that are left: what a target has started in a session of its
 * own, and what a bot that was killed left behind. Ends when a look finds none.
 */
export async function killStrays(of: Belongings, log: Logger): Promise<void> {
  for (let round = 0; round < mostRounds; round++) {
    const found = await strays(of);
    if (found.length === 0) return;
    if (round === 0)
      log.warn({ pids: found.slice(0, 20), count: found.length }, 'stray processes killed');
    for (const pid of found) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone already, or not ours to kill.
      }
    }
    await sleep(systemClock, lookAgainMs, never);
  }
}

async function strays(of: Belongings): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).map(Number);
  const others = pids.filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  const belong = await Promise.all(others.map((pid) => belongs(pid, of)));
  return others.filter((_, index) => belong[index]);
}

async function belongs(pid: number, { folder, mark, user }: Belongings): Promise<boolean> {
  const of = `/proc/${pid}`;
  if (user !== undefined && (await stat(of).catch(() => undefined))?.uid === user) {
    return !(await isZombie(pid));
  }
  if (folder !== undefined) {
    const cwd = await readlink(`${of}/cwd`).catch(() => '');
    if (cwd === folder || cwd.startsWith(`${folder}/`)) return true;
  }
  if (mark === undefined) return false;
  const environment = await readFile(`${of}/environ`, 'latin1').catch(() => '');
  return `\0${environment}`.includes(`\0${markName}=${mark}`);
}

/** It runs nothing, and is its parent's to collect. */
async function isZombie(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  return text === '' || /\) [ZX] /.test(text);
}
