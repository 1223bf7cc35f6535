import { readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../core/log.js';
import type { Spool } from '../findings/spool.js';
import { readPlainFile } from './plain-file.js';
import { leaseOfRunFolder } from './run-folder.js';

/** Stands in for what the engine printed, which died with the bot. */
const lostReport =
  'The bot ended while the engine was writing this input down; what the engine said of it is lost.';

/**
 * Clears up after a bot that was killed: ends processes that still work in its
 * runs' folders, puts crashes that never reached the spool into it, and removes
 * the folders. To be called by the one who has claimed the work folder.
 */
export async function clearLeftovers(
  runs: string,
  spool: Spool,
  isCrash: (fileName: string) => boolean,
  log: Logger,
): Promise<void> {
  await killProcessesIn(runs, log);
  for (const name of await readdir(runs)) {
    const lease = leaseOfRunFolder(name);
    const artifacts = join(runs, name, 'artifacts');
    const crashes = lease ? (await listing(artifacts)).filter(isCrash) : [];
    for (const crash of crashes) {
      const input = await readPlainFile(join(artifacts, crash));
      if (!lease || !input) continue;
      await spool.add({ lease, input, report: lostReport, context: undefined, hits: 1 });
    }
    if (crashes.length > 0)
      log.warn({ ...lease, crashes: crashes.length }, 'saved crashes of an earlier run');
    await rm(join(runs, name), { recursive: true, force: true });
  }
}

/** The death of the bot kills what it started itself, but not what that has started. */
async function killProcessesIn(folder: string, log: Logger): Promise<void> {
  for (const name of await listing('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (!cwd.startsWith(`${folder}/`)) continue;
    log.warn({ pid, cwd }, 'killing what an earlier bot left running');
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already, or not ours to kill.
    }
  }
}

const listing = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
