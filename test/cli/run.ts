import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from '../../src/cli/node-flags.js';
import { patienceMs } from '../patience.js';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly environment?: Record<string, string>;
  /** Standard error is taken for a terminal, with all that is drawn there. */
  readonly onTerminal?: boolean;
}

/** Runs the real `pandafuzz` to its end. */
export function pandafuzz(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return startPandafuzz(args, options).ended;
}

/** Starts the real `pandafuzz`, for a test that meddles with it as it runs. */
export function startPandafuzz(
  args: readonly string[],
  options: RunOptions = {},
): { child: ChildProcess; ended: Promise<Ran> } {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, HOME, NODE_COMPILE_CACHE, ...options.environment };
  const run = { env, cwd: options.cwd, timeout: patienceMs, maxBuffer: 2 ** 26 };
  const { promise: ended, resolve } = Promise.withResolvers<Ran>();
  const terminal = ['--import', 'data:text/javascript,process.stderr.isTTY = true'];
  const command = [...nodeFlags, ...(options.onTerminal ? terminal : []), main, ...args];
  const child = execFile(process.execPath, command, run, (error, out, err) => {
    resolve({ code: error ? Number(error.code ?? -1) : 0, out, err });
  });
  return { child, ended };
}

/** Once it has written this to standard error. */
export async function said(child: ChildProcess, what: RegExp): Promise<void> {
  let text = '';
  while (child.stderr && !what.test(text)) text += (await once(child.stderr, 'data'))[0];
}
