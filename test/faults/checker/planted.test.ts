import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { JobState } from '../../../src/gen/pandafuzz/v1/job.js';
import { shared, temporaryFolder } from '../../endings.js';
import { given } from '../../steps.js';
import { done, type Kind, type Operation } from '../history/operation.js';
import { pause } from '../load/times.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';
import { check } from './check.js';
import type { Rule } from './evidence.js';

/** A real load on a real master, once; each test spoils a copy of what it left. */
let operations: readonly Operation[];
let data: string;

const kinds: readonly Kind[] = [
  ...(['upload', 'create', 'read', 'list', 'cancel', 'hello', 'take', 'beat', 'done'] as const),
  ...(['crash', 'push'] as const),
];

beforeAll(() => shared(loaded));

async function loaded(): Promise<void> {
  const scene = await Scene.set(1);
  await scene.start();
  const load = scene.load();
  for (;;) {
    await pause(200);
    const sofar = scene.history.read();
    if (kinds.every((kind) => done(sofar, kind).length > 2)) break;
  }
  expect(await settled(scene, load, { fired: 1 })).toMatchObject({ violations: [] });
  operations = scene.history.read();
  data = scene.data;
}

/** A copy of the data folder that was spoilt. */
function spoiltData(spoil: (database: Database.Database, folder: string) => void): string {
  const folder = join(temporaryFolder(), 'data');
  cpSync(data, folder, { recursive: true });
  const database = new Database(join(folder, 'pandafuzz.db'));
  database.pragma('foreign_keys = OFF');
  spoil(database, folder);
  database.close();
  return folder;
}

const expectFound = (rule: Rule, seen: readonly Operation[], folder: string) =>
  expect(check(seen, folder).map((violation) => violation.rule)).toContain(rule);

const byStatement = (rule: Rule, sql: string) =>
  expectFound(
    rule,
    operations,
    spoiltData((database) => {
      expect(database.prepare(sql).run().changes).toBeGreaterThan(0);
    }),
  );

/** Adds an operation that was answered, later than all others. */
const also = (operation: Pick<Operation, 'kind' | 'request' | 'answer'>, at = 1): Operation => {
  const last = Math.max(...operations.map(({ askedAt }) => askedAt));
  const times = { askedAt: last + at, answeredAt: last + at + 1 };
  return {
    id: 1e9 + at,
    actor: 'planted',
    end: 'done',
    why: '',
    ...times,
    ...operation,
  } as Operation;
};

const first = <K extends Kind>(kind: K) => given(done(operations, kind)[0]);

describe('the checker finds', () => {
  test.each([
    ['job', 'DELETE FROM jobs WHERE id = (SELECT min(id) FROM jobs)'],
    ['result', "UPDATE attempts SET outcome = 'lost' WHERE outcome = 'completed'"],
    ['end of a job', "UPDATE jobs SET state = 'dead' WHERE state = 'completed'"],
    [
      'cancel',
      `UPDATE jobs SET state = 'dead', cancel_requested_at = NULL
       WHERE finished_at IS NOT NULL AND cancel_requested_at IS NOT NULL`,
    ],
    ['crash', 'DELETE FROM crashes WHERE id = (SELECT min(id) FROM crashes)'],
    [
      'input of a crash',
      `UPDATE crashes SET input_sha256 = '${'0'.repeat(64)}' WHERE id = (SELECT min(id) FROM crashes)`,
    ],
    ['input of a corpus', 'DELETE FROM corpus_entries'],
    ['artifact', 'DELETE FROM artifacts'],
  ])('an acknowledged %s that is lost', (_, sql) => byStatement('kept', sql));

  test('a job that was completed twice', () => {
    const folder = spoiltData((database) =>
      database.exec(`
        CREATE TEMP TABLE again AS SELECT * FROM attempts WHERE outcome = 'completed' LIMIT 1;
        UPDATE again SET fence = fence + 1;
        INSERT INTO attempts SELECT * FROM again`),
    );
    expectFound('once', operations, folder);
  });

  test('a request that made two jobs', () => {
    const { request } = first('create');
    const twice = also({ kind: 'create', request, answer: { jobId: 'another' } });
    expectFound('once', [...operations, twice], data);
  });

  test.each(['create', 'upload', 'crash', 'push', 'done'] as const)(
    'what nobody asked for: %s',
    (kind) =>
      expectFound(
        'asked',
        operations.filter((each) => each.kind !== kind),
        data,
      ),
  );

  test('what was refused and is there all the same', () => {
    const refused = operations.map((each) =>
      each.kind === 'create' ? ({ ...each, end: 'refused' } as Operation) : each,
    );
    expectFound('asked', refused, data);
  });

  test('an answer that is older than one before it', () => {
    const { request } = given(
      done(operations, 'done').find(({ answer }) => answer.state === JobState.COMPLETED),
    );
    const { jobId } = request.lease;
    const stale = { state: JobState.PENDING, fence: request.lease.fence };
    expectFound(
      'order',
      [...operations, also({ kind: 'read', request: { jobId }, answer: stale })],
      data,
    );
  });

  test('a fence that falls', () => {
    const { jobId } = first('read').request;
    const read = (fence: number, at: number) =>
      also({ kind: 'read', request: { jobId: `${jobId}x` }, answer: { state: 3, fence } }, at);
    expectFound('order', [...operations, read(8, 1), read(7, 10)], data);
  });

  test('a list without a job that was acknowledged before', () => {
    const list = also({ kind: 'list', request: { limit: 50 }, answer: { jobIds: [] } });
    expectFound('order', [...operations, list], data);
  });

  test('but not a result of an earlier lease that is asked again', () => {
    const answer = { state: JobState.PENDING };
    const result = (fence: number, at: number) => {
      const request = { botId: 'a', lease: { jobId: 'j', attempt: 1, fence }, outcome: 'FAILED' };
      return also({ kind: 'done', request, answer }, at);
    };
    const found = check([...operations, result(1, 1), result(2, 10), result(1, 20)], data);
    expect(found.filter(({ rule }) => rule === 'order')).toEqual([]);
  });

  test('two bots that hold one job at an instant', () => {
    const lease = { jobId: 'j', attempt: 1, fence: 1 };
    const renewed = { leases: [{ ...lease, remainingMs: 1000 }] };
    const twoHold = [
      also({ kind: 'take', request: { botId: 'a' }, answer: lease }, 1),
      also({ kind: 'beat', request: { botId: 'a', leases: [lease] }, answer: renewed }, 10),
      also({ kind: 'take', request: { botId: 'b' }, answer: { ...lease, fence: 2 } }, 900),
    ];
    expectFound('one lease', [...operations, ...twoHold], data);
    const later = also(
      { kind: 'take', request: { botId: 'b' }, answer: { ...lease, fence: 2 } },
      1100,
    );
    const oneAfterTheOther = [...operations, ...twoHold.slice(0, 2), later];
    expect(check(oneAfterTheOther, data)).toEqual([]);
  });

  test('a lease that was given out twice', () => {
    const { answer } = first('take');
    expectFound(
      'one lease',
      [...operations, also({ kind: 'take', request: { botId: 'another' }, answer })],
      data,
    );
  });

  test.each([
    ["UPDATE counters SET value = value + 1 WHERE name = 'jobs.completed'"],
    ["DELETE FROM events WHERE kind = 'job.completed'"],
    ["UPDATE counters SET value = value + 1 WHERE name = 'pack_bytes'"],
  ])('counters that do not add up: %s', (sql) => byStatement('counters', sql));

  test('a blob whose bytes changed, in a pack', () => {
    const folder = spoiltData((_, copy) => {
      const path = join(copy, 'blobs/packs/0000000001.pack');
      const bytes = readFileSync(path);
      bytes.writeUInt8(bytes.readUInt8(50) ^ 1, 50);
      writeFileSync(path, bytes);
    });
    expectFound('blobs', operations, folder);
  });

  test('a blob whose file is cut', () => {
    const { sha256 } = first('upload').request;
    const folder = spoiltData((_, copy) => {
      const path = join(copy, 'blobs', sha256.slice(0, 2), sha256);
      expect(existsSync(path)).toBe(true);
      writeFileSync(path, readFileSync(path).subarray(1));
    });
    expectFound('blobs', operations, folder);
  });

  test('a blob that is not there', () => byStatement('blobs', 'DELETE FROM blobs'));

  test('rows that refer to nothing', () => byStatement('database', 'DELETE FROM bots'));

  test('a damaged database', () => {
    const folder = spoiltData((database, copy) => {
      database.pragma('wal_checkpoint(TRUNCATE)');
      database.close();
      for (const name of readdirSync(copy).filter((each) => each === 'pandafuzz.db')) {
        const bytes = readFileSync(join(copy, name));
        bytes.fill(0xff, bytes.length - 4096 * 4);
        writeFileSync(join(copy, name), bytes);
      }
    });
    expectFound('database', operations, folder);
  });
});
