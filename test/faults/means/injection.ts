import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/core/clock.js';
import { atEnd, temporaryFolder } from '../../endings.js';
import { pause } from '../load/times.js';

/** Whether strace is there and may trace; without it, faults of the disk cannot be had. */
export function hasStrace(): boolean {
  try {
    execFileSync('strace', ['-D', '-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export const noStrace = 'strace is missing, or may not trace here';

/** System calls of one kind on certain files, and what is to happen at the nth of a thread. */
export interface Fault {
  /** Names, with commas. */
  readonly calls: string;
  /** None: of all files. */
  readonly paths?: readonly string[];
  /** As strace has it: error=EIO, signal=KILL. */
  readonly effect: string;
  readonly when: number;
}

/** For strace to let go by itself; it may wait for ever for a process that it has killed, milliseconds. */
const graceMs = 1000;

/** Makes one system call of a running process fail. `end` lets go of it. */
export async function inject(pid: number, fault: Fault) {
  const trace = join(temporaryFolder(), 'trace');
  const paths = (fault.paths ?? []).flatMap((path) => ['-P', path]);
  const what = ['-e', `trace=${fault.calls}`];
  const effect = ['-e', `inject=${fault.calls}:${fault.effect}:when=${fault.when}`];
  const args = ['-f', '-p', String(pid), '-o', trace, ...paths, ...what, ...effect];
  const child = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const attached = new Promise<void>((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
      if (/attached/.test(said)) resolve();
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`strace did not attach: ${said}`)));
  });
  attached.catch(() => {});
  const end = async () => {
    child.kill('SIGTERM');
    const stubborn = systemClock.schedule(graceMs, () => child.kill('SIGKILL'));
    await exited;
    stubborn.cancel();
  };
  const hasFired = () => /INJECTED|killed by SIGKILL/.test(readFileSync(trace, 'utf8'));
  atEnd(end);
  await attached;
  return {
    end,
    /** Whether the call came, and was made to fail. */
    hasFired,
    /** Resolves when it has, or strace has ended. */
    fired: async () => {
      while (child.exitCode === null && child.signalCode === null && !hasFired()) await pause(20);
    },
  };
}
