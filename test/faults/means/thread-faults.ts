import { readFileSync } from 'node:fs';
import { BroadcastChannel, isMainThread, threadName, type Worker } from 'node:worker_threads';

/**
 * Loaded into a master before its own code (`--import`). On SIGUSR2 the thread that the file
 * PANDAFUZZ_TEST_THREAD_FAULT names is terminated from outside ("end NAME") or throws ("throw NAME").
 */
const path = process.env['PANDAFUZZ_TEST_THREAD_FAULT'] ?? '';
const channel = new BroadcastChannel('thread faults');
channel.unref();

if (isMainThread) {
  const threads = new Map<string, Worker>();
  process.on('worker', (worker) => threads.set(worker.threadName ?? '', worker));
  process.on('SIGUSR2', () => {
    const [what, name = ''] = readFileSync(path, 'utf8').trim().split(' ');
    if (what === 'end') threads.get(name)?.terminate();
    else channel.postMessage(name);
  });
} else {
  channel.onmessage = (event) => {
    if ((event as { data?: unknown }).data !== threadName) return;
    queueMicrotask(() => {
      throw new Error('thrown by a test');
    });
  };
}
