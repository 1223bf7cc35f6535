import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the real `pandafuzz` to its end. */
export function pandafuzz(
  args: readonly string[],
  options: { cwd?: string; environment?: Record<string, string> } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.environment };
    const run = { env, cwd: options.cwd, timeout: 20_000, maxBuffer: 2 ** 26 };
    execFile(process.execPath, [main, ...args], run, (error, out, err) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, out, err });
    });
  });
}
