import { OperationContext } from '../../src/core/context.js';
import { silentLog } from '../../src/core/log.js';
import { createMetrics } from '../../src/metrics.js';
import { operations } from '../../src/store/ops/index.js';
import { Store } from '../../src/store/store.js';

/** A store in a process of its own, which can be killed: `node store-process.js DIRECTORY URL`. */

/** To the process: an operation to run, or to close the store and end. */
export type Ask = { readonly operation: string; readonly input: unknown } | 'close';
/** From it: that it is open, or the answer to the last operation. */
export type Told =
  | { readonly open: true }
  | { readonly ok: unknown }
  | { readonly fails: string; readonly message: string };

const tell = (told: Told) => process.send?.(told);

async function serve(directory: string, url: string): Promise<void> {
  const store = await Store.open({
    directory,
    url,
    synchronous: 'normal',
    readers: 1,
    checkpointIntervalMs: 20,
    maxQueuedWrites: 100,
    maxQueuedReads: 100,
    metrics: createMetrics(),
    log: silentLog,
    retry: { maxRetries: 5, firstDelayMs: 1, maxDelayMs: 10, multiplier: 2 },
    onFailure: (error) => {
      throw error;
    },
  });
  process.on('message', (ask: Ask) => {
    if (ask === 'close') void store.close().then(() => process.disconnect());
    else run(store, ask).then(tell);
  });
  tell({ open: true });
}

async function run(store: Store, { operation: name, input }: Exclude<Ask, 'close'>): Promise<Told> {
  const operation = operations.find((one) => one.name === name);
  if (!operation) return { fails: 'Error', message: `there is no operation ${name}` };
  const about = { operation: name, timeoutMs: 10_000, requestId: '', log: silentLog };
  const ctx = new OperationContext(about);
  try {
    return { ok: (await store.run(ctx, operation, input as never)) ?? null };
  } catch (error) {
    return { fails: (error as Error).name, message: (error as Error).message };
  } finally {
    ctx.end();
  }
}

const [directory, url] = process.argv.slice(2) as [string, string];
await serve(directory, url);
