import { readFileSync, writeFileSync } from 'node:fs';
import { BroadcastChannel, isMainThread, threadName, type Worker } from 'node:worker_threads';

/**
 * Loaded into a master before its own code (`--import`). On SIGUSR2 the thread that the file
 * THREAD_FAULT_FILE names is terminated from outside ("end NAME") or throws ("throw NAME").
 */
const path = process.env['THREAD_FAULT_FILE'] ?? '';
/** For the row: the fault came about. */
const hasHappened = () => writeFileSync(`${path}.fired`, '');
const channel = new BroadcastChannel('thread faults');
channel.unref();

if (isMainThread) {
  const threads = new Map<string, Worker>();
  process.on('worker', (worker) => threads.set(worker.threadName ?? '', worker));
  process.on('SIGUSR2', () => {
    const [, what, name = ''] = /^(\w+) (.*)/.exec(readFileSync(path, 'utf8')) ?? [];
    const thread = threads.get(name);
    if (what === 'end') thread?.terminate().then(hasHappened, hasHappened);
    else channel.postMessage(name);
  });
} else {
  channel.onmessage = (event) => {
    if ((event as { data?: unknown }).data !== threadName) return;
    hasHappened();
    queueMicrotask(() => {
      throw new Error('thrown by a test');
    });
  };
}
