import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { test } from '@jest/globals';

/** Leaves behind what LEAVE names; run by leaks.test.ts alone. */
const leaves: Record<string, () => unknown> = {
  nothing: () => {},
  timer: () => setTimeout(() => {}, 60_000),
  thread: () => new Worker('setTimeout(() => {}, 60_000)', { eval: true, name: 'left' }),
  file: () => openSync('package.json', 'r'),
  process: () => spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] }),
};

test('leaves it', () => {
  leaves[process.env['LEAVE'] ?? 'nothing']?.();
});
