import { LoopDelay } from './loop-delay.js';
import type { Addresses, Ask, Told } from './processes.js';

/**
 * Tells whoever started this process where its server listens, and from then on, when
 * asked, what it holds on to and how late its event loop is.
 */
export function beAsked(addresses: Addresses, stop: () => Promise<void>): void {
  const tell = (told: Told) => process.send?.(told);
  let loopDelay = new LoopDelay();
  process.on('message', async (ask: Ask) => {
    if (typeof ask === 'object') {
      loopDelay = new LoopDelay();
      loopDelay.start(ask.watchLoopEveryMs);
      return;
    }
    switch (ask) {
      case 'stop':
        loopDelay.stop();
        await stop();
        process.disconnect();
        break;
      case 'memory': {
        // What is only waiting for finalizers goes with the second and third.
        for (let i = 0; i < 3; i++) {
          globalThis.gc?.();
          await new Promise((resolve) => setImmediate(resolve));
        }
        const { heapUsed, rss } = process.memoryUsage();
        tell({ heapBytes: heapUsed, rssBytes: rss });
        break;
      }
      case 'loop delay':
        loopDelay.stop();
        tell(loopDelay.percentiles);
        break;
    }
  });
  // Nobody asks any more: whoever measured has died.
  process.on('disconnect', stop);
  tell(addresses);
}
