import { LoopDelay } from './latencies.js';
import type { Look, State } from './processes.js';

/**
 * Runs in a server's process: sends its address to the process that started it, and its
 * state whenever that one looks. It stops when that one lets go of it, or has died.
 */
export function beAsked(address: string, stop: () => Promise<void>): void {
  let loopDelay = new LoopDelay();
  process.on('message', async ({ watchLoopEveryMs, collect }: Look) => {
    loopDelay.stop();
    // Twice more: what only waits for finalizers goes then.
    for (let i = 0; collect && i < 3; i++) {
      globalThis.gc?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { heapUsed: heapBytes, rss: rssBytes } = process.memoryUsage();
    const resources: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) {
      resources[kind] = (resources[kind] ?? 0) + 1;
    }
    const { percentiles } = loopDelay;
    process.send?.({ loopDelay: percentiles, heapBytes, rssBytes, resources } satisfies State);
    loopDelay = new LoopDelay();
    if (watchLoopEveryMs) loopDelay.start(watchLoopEveryMs);
  });
  process.on('disconnect', stop);
  process.send?.(address);
}
