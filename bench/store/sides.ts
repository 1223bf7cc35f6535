import type Database from 'better-sqlite3';
import { OperationContext } from '../../src/core/context.js';
import { silentLog } from '../../src/core/log.js';
import { createMetrics } from '../../src/metrics.js';
import { openConnection } from '../../src/store/connection.js';
import { migrate } from '../../src/store/migrate.js';
import type { Operation } from '../../src/store/operation.js';
import { Store } from '../../src/store/store.js';
import type { LoopDelay } from '../loop-delay.js';
import { type Batch, eachInFlight } from '../measure.js';

/** Operations of the store, by one way or another. */
export interface Side {
  run<Input, Output>(operation: Operation<Input, Output>, input: Input): Promise<Output>;
  /** Many of one kind, as fast as this way goes. */
  all<Input, Output>(
    operation: Operation<Input, Output>,
    inputs: readonly Input[],
    inFlight?: number,
  ): Promise<Batch<Output>>;
  close(): Promise<void>;
}

/** Calls under way at once: about what a busy fleet keeps waiting. */
export const inFlight = 100;
/** Operations in a transaction of the raw side. */
export const rawGroup = 50;

/** As the master does it: threads, group commit, deadlines, metrics. */
export async function throughStore(
  directory: string,
  loop: LoopDelay,
  synchronous: 'full' | 'normal' = 'full',
): Promise<Side> {
  const store = await Store.open({
    ...{ directory, synchronous, readers: 2, checkpointIntervalMs: 1000 },
    ...{ maxQueuedWrites: 10_000, maxQueuedReads: 1000, metrics: createMetrics(), log: silentLog },
    retry: { maxRetries: 5, firstDelayMs: 10, maxDelayMs: 1000, multiplier: 2 },
    onFailure: (error) => {
      throw error;
    },
  });
  const run: Side['run'] = async (operation, input) => {
    const about = { operation: operation.name, timeoutMs: 60_000, requestId: '', log: silentLog };
    const ctx = new OperationContext(about);
    try {
      return await store.run(ctx, operation, input);
    } finally {
      ctx.end();
    }
  };
  return {
    run,
    all: (operation, inputs, atOnce = inFlight) =>
      loop.watch(() => eachInFlight(inputs, atOnce, (input) => run(operation, input))),
    close: () => store.close(),
  };
}

/** better-sqlite3 on this thread, with nothing in between. */
export function raw(path: string): Side {
  const db = openConnection({ path, access: 'write', synchronous: 'full' });
  migrate(db);
  const runners = new Map<string, (input: unknown) => unknown>();
  const runnerOf = (operation: Operation<never, unknown>) => {
    const runner = runners.get(operation.name) ?? (operation.prepare(db) as never);
    runners.set(operation.name, runner);
    return runner;
  };
  return {
    run: async (operation, input) => runnerOf(operation as never)(input) as never,
    all: async (operation, inputs) => inGroups(db, runnerOf(operation as never), inputs) as never,
    close: async () => {
      db.close();
    },
  };
}

function inGroups(
  db: Database.Database,
  run: (input: unknown) => unknown,
  inputs: readonly unknown[],
): Batch<unknown> {
  const outputs: unknown[] = [];
  const group = db.transaction((from: number) => {
    for (const input of inputs.slice(from, from + rawGroup)) outputs.push(run(input));
  });
  const startedAt = performance.now();
  for (let from = 0; from < inputs.length; from += rawGroup) group.immediate(from);
  const perSecond = (inputs.length / (performance.now() - startedAt)) * 1000;
  db.pragma('wal_checkpoint(PASSIVE)');
  return { perSecond, outputs };
}
