import { readFileSync, writeFileSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';

/**
 * Loaded into a master before its own code (`--import`). On SIGUSR2 the thread that the file
 * THREAD_FAULT_FILE names is terminated from outside ("end NAME"), or throws ("throw NAME"), as it
 * gets a message that is none.
 */
const path = process.env['THREAD_FAULT_FILE'] ?? '';
const threads = new Map<string, Worker>();

/** For the row: the fault came about. */
const hasHappened = () => writeFileSync(`${path}.fired`, '');

process.on('worker', (worker) => threads.set(worker.threadName ?? '', worker));
process.on('SIGUSR2', () => {
  const [, what, name = ''] = /^(\w+) (.*)/.exec(readFileSync(path, 'utf8')) ?? [];
  const thread = threads.get(name);
  if (what === 'end') {
    thread?.terminate().then(hasHappened, hasHappened);
  } else {
    thread?.prependOnceListener('error', hasHappened);
    thread?.postMessage(null);
  }
});
