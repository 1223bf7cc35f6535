import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { everyMethod } from '../wire/contract.js';

/** Rows of 8 KiB: three pages and a bit. */
const rowCount = 400;
const long = 'x'.repeat(8 * 1024);
const mostBytes = 1.2 * 2 ** 20;

type Value = null | string | number | ((index: number) => string | number);

/** A page: how many there are on it, and the request of the next one; undefined at the end. */
interface Page {
  readonly items: readonly object[];
  readonly next: string | number | undefined;
}

interface List {
  readonly table: string;
  /** Columns beside those for which any value does. */
  readonly row: Record<string, Value>;
  readonly read: (connection: Connection, after: string | number) => Promise<Page>;
}

const uuid = (index: number) => `01a20000-0000-7000-8000-${String(index).padStart(12, '0')}`;
const numbered = (index: number) => `${String(index).padStart(6, '0')}${long}`;
const corpus = { project: 'default', targetName: 'target' };
const targetSha256 = 'a'.repeat(64);

/** A page of a list with tokens. */
function byToken(
  call: (connection: Connection, page: { pageSize: number; pageToken: string }) => Promise<object>,
  field: string,
): List['read'] {
  return async (connection, after) => {
    const page = { pageSize: 1000, pageToken: after === 0 ? '' : String(after) };
    const answer = (await call(connection, page)) as Record<string, unknown>;
    return { items: answer[field] as object[], next: String(answer['nextPageToken']) || undefined };
  };
}

/** A page of a list with cursors, which is empty at the end. */
const byCursor = (items: readonly { cursor: number }[]): Page => ({
  items,
  next: items.at(-1)?.cursor,
});

/** At most 100 problems of some hundred characters each. */
const withoutPages = new Set([
  'StatisticsService/ListProblems',
  'SystemService/ListNotificationDestinations',
]);

const lists: Readonly<Record<string, List>> = {
  'JobService/ListJobs': {
    table: 'jobs',
    row: { id: uuid, state: 'pending', spec: JSON.stringify({ arguments: [] }), target_name: long },
    read: byToken(
      ({ jobs }, page) => unary(jobs, jobs.listJobs, { ...page, state: JobState.UNSPECIFIED }),
      'jobs',
    ),
  },
  'JobService/ListCampaigns': {
    table: 'campaigns',
    row: { key: numbered },
    read: byToken(({ jobs }, page) => unary(jobs, jobs.listCampaigns, page), 'campaigns'),
  },
  'CampaignService/ListCampaigns': {
    table: 'fuzz_campaigns',
    row: { id: uuid, name: numbered, key: numbered, state: 'active', spec: '{}' },
    read: byToken(
      ({ campaigns }, page) =>
        unary(campaigns, campaigns.listCampaigns, { ...page, project: '', archived: false }),
      'campaigns',
    ),
  },
  'CampaignService/ListCampaignHistory': {
    table: 'campaign_history',
    row: { campaign_id: uuid(1), sequence: (index) => index, text: numbered },
    read: byToken(
      ({ campaigns }, page) =>
        unary(campaigns, campaigns.listCampaignHistory, {
          ...page,
          project: '',
          campaign: uuid(1),
        }),
      'events',
    ),
  },
  'BotService/ListBots': {
    table: 'bots',
    row: { id: uuid, name: numbered, engines: '[]', labels: '{}' },
    read: byToken(({ bots }, page) => unary(bots, bots.listBots, page), 'bots'),
  },
  'IdentityService/ListTokens': {
    table: 'tokens',
    row: {
      ...{ id: uuid, hash: (index) => String(index).padStart(64, '0'), name: numbered },
      ...{ role: 'viewer', projects: '[]', bot_id: null, revoked_at: null, revoked_by: null },
    },
    read: byToken(({ identity }, page) => unary(identity, identity.listTokens, page), 'tokens'),
  },
  'SecretService/ListSecrets': {
    table: 'secrets',
    row: { project: 'default', name: numbered },
    read: byToken(
      ({ secrets }, page) => unary(secrets, secrets.listSecrets, { ...page, project: '' }),
      'secrets',
    ),
  },
  'IdentityService/ListAuditEntries': {
    table: 'audit',
    row: { sequence: (index) => index + 1, kind: 'change', hash: numbered, count: 1, about: long },
    read: byToken(({ identity }, page) => {
      const all = { caller: '', since: undefined, oldestFirst: false };
      return unary(identity, identity.listAuditEntries, { ...page, ...all });
    }, 'entries'),
  },
  'TargetService/ListTargets': {
    table: 'targets',
    row: { project: 'default', name: numbered },
    read: byToken(
      ({ targets }, page) => unary(targets, targets.listTargets, { ...page, project: '' }),
      'targets',
    ),
  },
  'CoverageService/ListCoverage': {
    table: 'coverage_targets',
    row: { project: 'default', target_name: numbered, target_sha256: targetSha256 },
    read: byToken(
      ({ coverage }, page) => unary(coverage, coverage.listCoverage, { ...page, project: '' }),
      'coverage',
    ),
  },
  'CorpusService/ListCorpora': {
    table: 'corpora',
    row: { project: 'default', target_name: numbered, generation_id: 1 },
    read: byToken(({ corpora }, page) => unary(corpora, corpora.listCorpora, page), 'corpora'),
  },
  'CorpusService/ListCorpusEntries': {
    table: 'corpus_entries',
    row: { generation_id: 1, sha256: numbered, origin: 'engine' },
    read: async ({ corpora }, cursor) => {
      const request = { corpus, cursor: Number(cursor), pageSize: 1000 };
      return byCursor((await unary(corpora, corpora.listCorpusEntries, request)).entries);
    },
  },
  'CorpusService/ListInputsPutAside': {
    table: 'corpus_put_aside',
    row: { build_id: 1, sha256: numbered, reason: 'crash' },
    read: async ({ corpora }, cursor) => {
      const request = { corpus, targetSha256, cursor: Number(cursor), pageSize: 1000 };
      return byCursor((await unary(corpora, corpora.listInputsPutAside, request)).inputs);
    },
  },
  'CrashService/ListCrashes': {
    table: 'crashes',
    row: { id: uuid, input_sha256: uuid, message: long, frames: '[]', stack: '[]' },
    read: byToken(
      ({ crashes }, page) =>
        unary(crashes, crashes.listCrashes, { ...page, groupId: '', jobId: '' }),
      'crashes',
    ),
  },
  'CrashService/ListCrashGroups': {
    table: 'crash_groups',
    row: { id: uuid, message: long, frames: '[]', status: 'new' },
    read: byToken(({ crashes }, page) => {
      const all = { project: '', targetName: '', kind: '', text: '', status: 0 };
      return unary(crashes, crashes.listCrashGroups, {
        ...page,
        ...all,
        since: undefined,
        newSince: undefined,
      });
    }, 'groups'),
  },
  'CrashService/ListCrashDecisions': {
    table: 'crash_decisions',
    // Every other one from the group, and every other one to it.
    row: {
      id: uuid,
      kind: 'merge',
      decided_by: long,
      group_id: (index) => uuid(index % 2),
      to_group_id: (index) => uuid(1 - (index % 2)),
    },
    read: byToken(
      ({ crashes }, page) =>
        unary(crashes, crashes.listCrashDecisions, { ...page, groupId: uuid(1) }),
      'decisions',
    ),
  },
};

/** Writes the rows beneath the master, as large as no caller could make them. */
function fill(directory: string): void {
  const db = new Database(join(directory, 'pandafuzz.db'), { timeout: 60_000 });
  db.pragma('foreign_keys = OFF');
  db.pragma('ignore_check_constraints = ON');
  const all = db.transaction(() => {
    const triggers = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck();
    for (const name of triggers.all()) db.exec(`DROP TRIGGER ${name}`);
    for (const { table, row } of Object.values(lists)) insertInto(db, { table, row }, rowCount);
    const one = { project: 'default', target_name: 'target', generation_id: 1 };
    insertInto(db, { table: 'corpora', row: { ...one, id: 100_000 } }, 1);
    const build = { id: 1, corpus_id: 100_000, target_sha256: targetSha256 };
    insertInto(db, { table: 'corpus_builds', row: build }, 1);
  });
  all.immediate();
  db.close();
}

function insertInto(
  db: Database.Database,
  { table, row }: Pick<List, 'table' | 'row'>,
  count: number,
): void {
  const columns = db.pragma(`table_info(${table})`) as {
    name: string;
    type: string;
    notnull: number;
    dflt_value: string | null;
    pk: number;
  }[];
  const isGiven = (column: (typeof columns)[number]) =>
    column.name in row ||
    (column.notnull === 1 &&
      column.dflt_value === null &&
      !(column.pk && column.type === 'INTEGER'));
  const given = columns.filter(isGiven);
  const names = given.map(({ name }) => name);
  const insert = db.prepare(
    `INSERT INTO ${table} (${names}) VALUES (${names.map((name) => `@${name}`)})`,
  );
  for (let index = 1; index <= count; index++) {
    const values = given.map(({ name, type }) => {
      const value = row[name] ?? (type === 'TEXT' ? '' : 1);
      return [name, typeof value === 'function' ? value(index) : value];
    });
    insert.run(Object.fromEntries(values));
  }
}

test('every list ends its pages at the bound of bytes, and goes on where each ended', async () => {
  const directory = temporaryFolder();
  const settings = { PANDAFUZZ_RETENTION_SWEEP_INTERVAL: '24h' };
  const { connection } = await runMasterFor(settings, directory);
  fill(directory);
  const names = everyMethod().flatMap(({ name }) =>
    /\/List/.test(name) && !withoutPages.has(name) ? [name] : [],
  );
  expect(names.length).toBeGreaterThan(9);
  for (const name of names) {
    const list = lists[name];
    if (!list) throw new Error(`${name} is a list: fill it here, and bound it by page-bytes.ts`);
    const found: object[] = [];
    for (let after: string | number | undefined = 0; after !== undefined; ) {
      const { items, next }: Page = await list.read(connection, after);
      expect({ name, isBounded: JSON.stringify(items).length < mostBytes }).toEqual({
        name,
        isBounded: true,
      });
      found.push(...items);
      after = next;
    }
    const different = new Set(found.map((item) => JSON.stringify(item))).size;
    // One corpus more, in which the entries are.
    const expected = rowCount + Number(name.endsWith('/ListCorpora'));
    expect({ name, different, all: found.length }).toEqual({
      name,
      different: expected,
      all: expected,
    });
  }
});
