import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type Database from 'better-sqlite3';
import { openConnection } from '../../src/store/sqlite/connection.js';
import { migrate } from '../../src/store/sqlite/migrate.js';
import { positional } from '../../src/store/sqlite/positional.js';
import { everyStatement } from '../../src/store/statement.js';
import '../../src/store/ops/index.js';
import { atEnd, temporaryFolder } from '../harness.js';

/** Tables that stay as small as they are: one row a counter. */
const fixedTables = ['counters'];

function emptyDatabase(): Database.Database {
  const path = join(temporaryFolder(), 'pandafuzz.db');
  const db = openConnection({ path, access: 'write', synchronous: 'normal' });
  atEnd(() => db.close());
  migrate(db);
  return db;
}

/** Every statement of every operation, as it is written for SQLite. */
const texts = everyStatement.flatMap(({ text }) => (text.sqlite === null ? [] : [text.sqlite]));

/**
 * The steps of a statement's plan, as SQLite tells them. Left out are those behind
 * FkIfZero: a new row is compared with the rows that already wait for a parent of
 * theirs, and with constraints that are checked at once there never are any.
 */
function planOf(db: Database.Database, sql: string): string[] {
  const prepared = positional(sql);
  const values = prepared.names.map(() => null);
  const explain = <Row>(what: string) =>
    db.prepare<unknown[], Row>(`${what} ${prepared.sql}`).all(...values);
  const skipped = explain<{ addr: number; opcode: string; p2: number }>('EXPLAIN').filter(
    ({ opcode }) => opcode === 'FkIfZero',
  );
  return explain<{ id: number; detail: string }>('EXPLAIN QUERY PLAN')
    .filter(({ id }) => !skipped.some(({ addr, p2 }) => addr < id && id < p2))
    .map(({ detail }) => detail);
}

/** Whether a step reads a whole table that grows: "SCAN jobs", "SCAN job USING INDEX …". */
function scans(step: string, db: Database.Database, sql: string): boolean {
  const [, name = ''] = /^SCAN (\w+)/.exec(step) ?? [];
  if (name === '') return false;
  const [, aliased = name] = new RegExp(`(\\w+) AS ${name}\\b`, 'i').exec(sql) ?? [];
  const isTable = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
  return isTable.get(aliased) !== undefined && !fixedTables.includes(aliased);
}

describe('every statement', () => {
  test('finds its rows by an index', () => {
    const db = emptyDatabase();
    expect(texts.length).toBeGreaterThan(75);
    for (const sql of texts) {
      const plan = planOf(db, sql);
      const found = {
        scans: plan.filter((step) => scans(step, db, sql)),
        sorts: plan.filter((step) => isLongSort(step, sql)),
      };
      expect({ sql, ...found }).toEqual({ sql, scans: [], sorts: [] });
    }
  });

  test('is looked at by a test that would see a scan', () => {
    const db = emptyDatabase();
    const seen = (sql: string) => planOf(db, sql).some((step) => scans(step, db, sql));
    expect(seen('SELECT * FROM jobs WHERE message = @message')).toBe(true);
    expect(seen('SELECT count(*) FROM crashes')).toBe(true);
    expect(seen('SELECT * FROM events AS e ORDER BY sequence LIMIT @limit')).toBe(true);
    expect(seen('UPDATE jobs SET message = @message')).toBe(true);
    expect(seen('SELECT * FROM jobs WHERE id = @id')).toBe(false);
    expect(seen('SELECT * FROM counters')).toBe(false);
  });
});

/** Rows sorted in memory: fine only for the few heads of queues in a claim. */
function isLongSort(step: string, sql: string): boolean {
  return step.startsWith('USE TEMP B-TREE') && !sql.includes('json_each(@queues)');
}

describe('deleting a row', () => {
  test('finds the rows that refer to it by an index', () => {
    const db = emptyDatabase();
    const deletedFrom = texts.flatMap((sql) => /DELETE FROM (\w+)/.exec(sql)?.[1] ?? []);
    expect(deletedFrom).toContain('jobs');
    const references = db
      .prepare<[], { child: string; parent: string; column: string }>(
        `SELECT child.name AS child, key."table" AS parent, key."from" AS "column"
         FROM sqlite_schema AS child, pragma_foreign_key_list (child.name) AS key
         WHERE child.type = 'table'`,
      )
      .all()
      .filter(({ parent }) => deletedFrom.includes(parent));
    expect(references.length).toBeGreaterThan(3);
    const hasIndex = ({ child, column }: (typeof references)[number]) =>
      planOf(db, `SELECT 1 FROM ${child} WHERE ${column} = @value`).some((step) =>
        step.startsWith(`SEARCH ${child}`),
      );
    expect(references.filter((reference) => !hasIndex(reference))).toEqual([]);
  });
});
