import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import type { Operation } from '../../src/store/operation.js';
import { operations } from '../../src/store/ops/index.js';
import { positional } from '../../src/store/postgres/positional.js';
import { drive, prepareStatements } from '../../src/store/sqlite/drive.js';
import { migrate } from '../../src/store/sqlite/migrate.js';
import { everyStatement, type Step, type Steps } from '../../src/store/statement.js';
import { atEnd } from '../harness.js';
import { story } from './story.js';

const source = (path: string) => readFileSync(join(process.cwd(), 'src/store', path), 'utf8');
const schema = source('postgres/schema.sql');

/** A whole PostgreSQL in this process; started once, as that takes a second or more. */
let db: PGlite;
beforeAll(async () => {
  db = await PGlite.create();
});
afterAll(() => db.close());

beforeEach(async () => {
  await db.exec(`DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public; ${schema}`);
});

/** PostgreSQL's complaint about a statement, as prepared there; undefined if it has none. */
async function complaint(text: string): Promise<string | undefined> {
  const { sql } = positional(text);
  try {
    await db.exec(`PREPARE statement AS ${sql}`);
    await db.exec('DEALLOCATE statement');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('every statement of every operation', () => {
  test('can be prepared by PostgreSQL', async () => {
    const texts = everyStatement.flatMap(({ text }) => text.postgres ?? []);
    expect(texts).toHaveLength(everyStatement.length);
    for (const text of texts) {
      expect({ text, complaint: await complaint(text) }).toEqual({ text, complaint: undefined });
    }
  });

  test('is among the statements looked at', () => {
    const written = readdirSync(join(process.cwd(), 'src/store/ops'), { recursive: true })
      .filter((name) => String(name).endsWith('.ts'))
      .flatMap((name) => source(join('ops', String(name))).match(/\bstatement[<(]/g) ?? []);
    // A function that makes statements of one kind is written once.
    expect(everyStatement.length).toBeGreaterThanOrEqual(written.length);
    expect(written.length).toBeGreaterThan(80);
  });

  test.each([
    ['iif', "UPDATE jobs SET state = iif(state = 'paused', 'pending', state) WHERE id = @id"],
    ['a scalar max', 'UPDATE bots SET last_seen_at = max(last_seen_at, @now) WHERE id = @id'],
    ['json_each', 'SELECT id FROM jobs, json_each(@ids) AS one WHERE id = one.value'],
    ['a boolean as integer', 'SELECT id FROM jobs WHERE state = @state AND delayed'],
    ['a column of no schema', 'SELECT nothing FROM jobs WHERE id = @id'],
  ])('would be refused with %s', async (_, text) => {
    expect(await complaint(text)).toMatch(/does not exist|must be|argument of/);
  });
});

/** What PostgreSQL's driver will do, a step at a time: enough to run a story. */
async function driveOnPostgres<Output>(steps: Steps<Output>): Promise<Output> {
  let next = steps.next();
  while (!next.done) next = steps.next(await perform(next.value));
  return next.value;
}

async function perform({ kind, statement, params }: Step): Promise<unknown> {
  const { sql, names } = positional(statement.text.postgres ?? '');
  const query = (values: object) =>
    db.query(
      sql,
      names.map((name) => (values as Record<string, unknown>)[name] ?? null),
    );
  if (kind === 'runEach') {
    let changes = 0;
    for (const each of params as object[]) changes += (await query(each)).affectedRows ?? 0;
    return changes;
  }
  const { rows, affectedRows } = await query(params);
  if (kind === 'run') return affectedRows ?? 0;
  return kind === 'one' ? rows[0] : rows;
}

describe('a story of operations', () => {
  test('has the same answers on PostgreSQL and on SQLite', async () => {
    const sqlite = new Database(':memory:');
    atEnd(() => sqlite.close());
    migrate(sqlite);
    const statements = prepareStatements(sqlite, 'write');
    const told = new Set<string>();
    for (const [name, input] of story) {
      const operation = operations.find((one) => one.name === name) as Operation<unknown, unknown>;
      told.add(name);
      const expected = drive(statements, operation, input);
      const answer = await driveOnPostgres(operation.steps(input));
      expect({ name, input, answer }).toEqual({ name, input, answer: expected });
    }
    expect([...told].sort()).toEqual(operations.map(({ name }) => name).sort());
  });
});
