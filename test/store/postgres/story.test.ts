import { beforeAll, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import type { Operation } from '../../../src/store/operation.js';
import { operations } from '../../../src/store/ops/index.js';
import { drive, prepareStatements } from '../../../src/store/sqlite/drive.js';
import { migrate } from '../../../src/store/sqlite/migrate.js';
import { atEnd, shared, temporaryFolder, testContext } from '../../harness.js';
import { databaseOf, ownServer, testServer } from '../../postgres/databases.js';
import { openOn } from '../../postgres/store-on.js';
import { story } from '../story.js';

let server: string;
beforeAll(async () => {
  server = testServer ?? (await shared(ownServer)).adminUrl;
});

test('every operation has the same answers from our driver on PostgreSQL as on SQLite', async () => {
  const sqlite = new Database(':memory:');
  atEnd(() => sqlite.close());
  migrate(sqlite);
  const statements = prepareStatements(sqlite, 'write');
  const directory = temporaryFolder();
  const store = await openOn(await databaseOf(directory, server), { directory });
  for (const [name, input] of story) {
    const operation = operations.find((one) => one.name === name) as Operation<unknown, unknown>;
    const expected = drive(statements, operation, input);
    const answer = await store.run(testContext(), operation, input);
    expect({ name, input, answer }).toEqual({ name, input, answer: expected });
  }
});
