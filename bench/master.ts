import { startMaster } from '../src/app.js';
import { loadMasterConfig } from '../src/config/load.js';
import { formatAddress } from '../src/config/units.js';
import { silentLog } from '../src/core/log.js';
import type { Told } from './processes.js';

/** A master in a process of its own that can be asked what it holds on to. */

const master = await startMaster(loadMasterConfig({ environment: process.env }), silentLog);
const tell = (told: Told) => process.send?.(told);

process.on('message', async (ask: 'memory' | 'stop') => {
  if (ask === 'stop') {
    await master.stop();
    process.disconnect();
    return;
  }
  // What is only waiting for finalizers goes with the second and third.
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, rss } = process.memoryUsage();
  tell({ heapBytes: heapUsed, rssBytes: rss });
});
tell({ address: formatAddress(master.grpc) });
