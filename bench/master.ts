import { startMaster } from '../src/app.js';
import { loadMasterConfig } from '../src/config/load.js';
import { formatAddress } from '../src/config/units.js';
import { createLog } from '../src/core/log.js';
import { LoopDelay } from './loop-delay.js';
import type { Ask, Told } from './processes.js';

/**
 * A master as it ships, its log included, in a process of its own that can be
 * asked what it holds on to and how late its event loop is.
 */

const config = loadMasterConfig({ environment: process.env });
const master = await startMaster(config, createLog(config.log));
const tell = (told: Told) => process.send?.(told);
let loopDelay = new LoopDelay();

process.on('message', async (ask: Ask) => {
  switch (ask) {
    case 'stop':
      loopDelay.stop();
      await master.stop();
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
    case 'watch loop':
      loopDelay = new LoopDelay();
      loopDelay.start();
      break;
    case 'loop delay':
      loopDelay.stop();
      tell(loopDelay.percentiles);
      break;
  }
});
// Nobody asks any more: whoever measured has died.
process.on('disconnect', () => master.stop());
tell({ address: formatAddress(master.grpc), http: formatAddress(master.http) });
