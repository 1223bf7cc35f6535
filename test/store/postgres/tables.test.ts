import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import type { Operation } from '../../../src/store/operation.js';
import { operations } from '../../../src/store/ops/index.js';
import { PostgresTables } from '../../../src/store/postgres/tables.js';
import { drive, prepareStatements } from '../../../src/store/sqlite/drive.js';
import { migrate } from '../../../src/store/sqlite/migrate.js';
import { NewSqliteTables, SqliteTables } from '../../../src/store/sqlite/tables.js';
import { firstInUse, moveRows, type Row, type Tables } from '../../../src/store/tables.js';
import { atEnd, shared, temporaryFolder } from '../../harness.js';
import { databaseOf, ownServer, testServer } from '../../postgres/databases.js';
import { sqlAt } from '../../postgres/server.js';
import { story } from '../story.js';

/** Moves of every row from SQLite to PostgreSQL, and back. */

let server: string;
/** A file in which every operation has run. */
let written: string;
beforeAll(async () => {
  server = testServer ?? (await shared(ownServer)).adminUrl;
  written = writeStory(await shared(() => Promise.resolve(temporaryFolder())));
});

function writeStory(directory: string): string {
  const path = join(directory, 'pandafuzz.db');
  const db = new Database(path);
  db.pragma('synchronous = OFF');
  migrate(db);
  const statements = prepareStatements(db, 'write');
  for (const [name, input] of story) {
    const operation = operations.find((one) => one.name === name) as Operation<unknown, unknown>;
    drive(statements, operation, input);
  }
  db.close();
  return path;
}

/** A copy of it. */
function fileWithStory(directory: string): string {
  const path = join(directory, 'pandafuzz.db');
  copyFileSync(written, path);
  return path;
}

function fileAt(path: string): SqliteTables {
  const tables = SqliteTables.open(path, 0);
  atEnd(() => tables.close());
  return tables;
}

async function postgresAt(url: string): Promise<PostgresTables> {
  const tables = await PostgresTables.open(url);
  atEnd(() => tables.close());
  return tables;
}

async function everyRow(tables: Tables, like: SqliteTables): Promise<Record<string, Row[]>> {
  const all: Record<string, Row[]> = {};
  for (const table of like.list()) {
    all[table.name] = [];
    for await (const rows of tables.rows(table)) all[table.name]?.push(...rows);
  }
  return all;
}

const quietly = { signal: new AbortController().signal, onRows: () => {} };

test('every row and number comes to PostgreSQL, and back, as it was', async () => {
  const directory = temporaryFolder();
  const file = fileAt(fileWithStory(directory));
  const url = await databaseOf(directory, server);
  const there = await postgresAt(url);
  const tables = file.list();
  expect(await firstInUse(there, tables)).toBeUndefined();
  const moved = await moveRows({ from: file, to: there, tables, ...quietly });
  await there.close();
  const before = await everyRow(file, file);
  expect(Object.fromEntries(moved)).toEqual(
    Object.fromEntries(Object.entries(before).map(([name, rows]) => [name, rows.length])),
  );
  expect([...moved.values()].filter((rows) => rows > 0).length).toBeGreaterThan(35);

  const again = await postgresAt(url);
  expect(await firstInUse(again, tables)).toBeDefined();
  const path = join(directory, 'back.db');
  const back = NewSqliteTables.make(path);
  await moveRows({ from: again, to: back, tables: back.list(), ...quietly });
  back.close();
  const returned = fileAt(path);
  expect(await everyRow(returned, returned)).toEqual(before);
  expect(await returned.numbers()).toEqual(await file.numbers());
  expect(rulesOf(path)).toEqual(rulesOf(join(directory, 'pandafuzz.db')));
});

const rulesOf = (path: string) => {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name').all();
  } finally {
    db.close();
  }
};

test('what is numbered goes on behind the highest number, and rules hold again', async () => {
  const directory = temporaryFolder();
  const file = fileAt(fileWithStory(directory));
  const url = await databaseOf(directory, server);
  const there = await postgresAt(url);
  await moveRows({ from: file, to: there, tables: file.list(), ...quietly });
  await there.close();
  const last = (await file.numbers()).get('events') as number;
  const [next] = (await sqlAt(
    url,
    `INSERT INTO events (time, kind, subject, detail) VALUES (0, 'log.began', '', '{}') RETURNING sequence`,
  )) as { sequence: string }[];
  expect(Number(next?.sequence)).toBe(last + 1);
  await expect(
    sqlAt(url, `INSERT INTO artifact_uses VALUES ('${'f'.repeat(64)}', 'target', 'x', 0)`),
  ).rejects.toThrow(/foreign key/);
  await expect(sqlAt(url, 'UPDATE events SET time = 1')).rejects.toThrow();
});

test('a row that changes on the way, or refers to no row, moves nothing', async () => {
  const directory = temporaryFolder();
  const file = fileAt(fileWithStory(directory));
  const url = await databaseOf(directory, server);
  const spoiling = await postgresAt(url);
  const write = spoiling.write.bind(spoiling);
  spoiling.write = (table, rows) =>
    write(
      table,
      table.name === 'bots'
        ? rows.map((row) => row.with(table.columns.indexOf('version'), 'another'))
        : rows,
    );
  const tables = file.list();
  await expect(moveRows({ from: file, to: spoiling, tables, ...quietly })).rejects.toThrow(
    /the copy of a row of bots \(id .*\) is not the same: nothing was moved/,
  );
  await spoiling.close();
  const after = await postgresAt(url);
  expect(await firstInUse(after, tables)).toBeUndefined();

  const without = tables.filter(({ name }) => name !== 'artifacts');
  await expect(moveRows({ from: file, to: after, tables: without, ...quietly })).rejects.toThrow(
    /a row of artifact_uses refers to one that is not there/,
  );
});
