import type Database from 'better-sqlite3';
import { openConnection } from '../../src/store/sqlite/connection.js';
import { drive, prepareStatements } from '../../src/store/sqlite/drive.js';
import { migrate } from '../../src/store/sqlite/migrate.js';
import type { Batch } from '../measure.js';
import type { Side } from '../store/sides.js';

/** Operations in a transaction. */
export const rawGroup = 50;

/** The limit: the same statements by better-sqlite3 on this thread, with nothing in between. */
export function raw(path: string): Side {
  const db = openConnection({ path, access: 'write', synchronous: 'full' });
  migrate(db);
  const statements = prepareStatements(db, 'write');
  return {
    run: async (operation, input) => drive(statements, operation, input),
    all: async (operation, inputs) =>
      inGroups(db, (input) => drive(statements, operation, input as never), inputs) as never,
    close: async () => void db.close(),
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
