import { readdir, readlink } from 'node:fs/promises';
import type { Logger } from '../../core/log.js';

/**
 * Kills the processes that work in a folder or below it: what a target has started in a
 * session of its own, and what a bot that was killed left behind.
 */
export async function killProcessesIn(folder: string, log: Logger): Promise<void> {
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (cwd !== folder && !cwd.startsWith(`${folder}/`)) continue;
    log.warn({ pid, cwd }, 'killing a process that a target left behind');
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already, or not ours to kill.
    }
  }
}
