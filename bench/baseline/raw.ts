import type Database from 'better-sqlite3';
import type { Operation } from '../../src/store/operation.js';
import { openConnection } from '../../src/store/sqlite/connection.js';
import { migrate } from '../../src/store/sqlite/migrate.js';
import type { Batch } from '../measure.js';
import type { Side } from '../store/sides.js';

/** Operations in a transaction. */
export const rawGroup = 50;

/** The limit: the same statements by better-sqlite3 on this thread, with nothing in between. */
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
