import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../../endings.js';
import type * as floods from './floods.js';

const program = fileURLToPath(new URL('./flood-process.js', import.meta.url));

/**
 * Floods from a process of its own: those who are measured beside them wait for the master, and
 * not for the flood's own work.
 */
export function flooder(address: string) {
  const child = spawn(process.execPath, [program, address], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'close');
  atEnd(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  /** @returns how many calls or connections it was */
  return async (name: keyof typeof floods, ...numbers: number[]): Promise<number> => {
    child.stdin.write(`${[name, ...numbers].join(' ')}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('the process of floods has ended');
    return Number(value);
  };
}
