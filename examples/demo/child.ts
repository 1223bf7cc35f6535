import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from '../../src/cli/node-flags.js';
import { systemClock } from '../../src/core/clock.js';

const pandafuzz = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** A `pandafuzz` of the demo's own, in a process of its own, with its output in a file. */
export interface Child {
  readonly pid: number;
  /** Resolves when it has ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** SIGTERM, and SIGKILL if it is still there after `graceMs`. Resolves when it has ended. */
  stop(graceMs: number): Promise<void>;
}

/**
 * In a process group of its own, so that Ctrl-C reaches the demo alone, which
 * then ends things in order; and told to stop by the kernel should the demo die
 * without a word.
 */
export function startPandafuzz(
  args: readonly string[],
  options: { logFile: string; environment?: Record<string, string> },
): Child {
  const log = openSync(options.logFile, 'a');
  const program = [process.execPath, ...nodeFlags, pandafuzz];
  const command = ['--pdeathsig', 'TERM', '--', ...program, ...args];
  const child = spawn('setpriv', command, {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, PANDAFUZZ_MASTER: undefined, ...options.environment },
  });
  closeSync(log);
  const exited = new Promise<Awaited<Child['exited']>>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  exited.catch(() => {}); // heard by whoever awaits it
  return { pid: child.pid ?? 0, exited, stop: (graceMs) => stop(child, exited, graceMs) };
}

async function stop(child: ChildProcess, exited: Child['exited'], graceMs: number): Promise<void> {
  child.kill('SIGTERM');
  const timer = systemClock.schedule(graceMs, () => child.kill('SIGKILL'));
  await exited.catch(() => {});
  timer.cancel();
}
