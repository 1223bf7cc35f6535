import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { atEnd } from '../harness.js';

const module = new URL('../../src/cli/left-behind.js', import.meta.url).href;

test.each([
  ['Promise.resolve()', 3],
  ["Promise.reject(new Error('broken')).finally(() => { process.exitCode = 4; })", 4],
])('a process ends after %s, though a thread was left behind', async (work, code) => {
  const program = `
    import { Worker } from 'node:worker_threads';
    import { thenEnd } from '${module}';
    new Worker('setInterval(() => {}, 1000)', { eval: true });
    process.exitCode = 3;
    await thenEnd(${work}).catch(() => {});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
  atEnd(() => void child.kill('SIGKILL'));
  expect(await once(child, 'exit')).toEqual([code, null]);
});
