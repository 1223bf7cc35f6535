import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { temporaryFolder } from './harness.js';

const rules = join(process.cwd(), '.dependency-cruiser.mjs');
const program = join(process.cwd(), 'node_modules/.bin/depcruise');

interface Broken {
  readonly rule: { readonly name: string };
  readonly from: string;
  readonly to: string;
}

/** What the tree below `folder`/src breaks. */
async function broken(folder: string): Promise<readonly Broken[]> {
  const flags = ['--config', rules, '--output-type', 'json', 'src'];
  const run = promisify(execFile)(program, flags, { cwd: folder, maxBuffer: 2 ** 26 });
  const { stdout } = await run.catch((failed: { stdout: string }) => failed);
  const { summary } = JSON.parse(stdout) as {
    summary: { totalCruised: number; violations: readonly Broken[] };
  };
  expect(summary.totalCruised).toBeGreaterThan(0);
  return summary.violations;
}

function tree(files: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries({ 'tsconfig.json': '{}', ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const up = (room: string) => `${room}-imports-only-what-is-below`;

/** What breaks a rule: the rule, a file, and what it imports. */
const wrong: readonly (readonly [what: string, rule: string, from: string, to: string])[] = [
  ['an import that goes up', up('store'), 'store/a.ts', 'state/b.ts'],
  ['a type that goes up', up('state'), 'state/a.ts', 'rpc/b.ts'],
  ['a bot that reaches into the master', up('bot'), 'bot/a.ts', 'store/b.ts'],
  ['a leaf that reaches anywhere', up('core'), 'core/a.ts', 'config/b.ts'],
  ...(
    [
      ['state', 'leases', 'scheduling'],
      ['state', 'bots', 'heartbeat'],
      ['state', 'crashes', 'heartbeat'],
      ['state', 'jobs', 'upkeep'],
      ['bot', 'sandbox', 'runs'],
      ['bot', 'engines', 'findings'],
      ['rpc', 'streams', 'beneath'],
    ] as const
  ).map(
    ([room, step, above]) =>
      [
        `${room}/${step} that reaches up to ${above}`,
        up(`${room}-${step}`),
        `${room}/${step}/a.ts`,
        `${room}/${above}/b.ts`,
      ] as const,
  ),
  ['a rule that sees an engine', 'rules-see-no-engine', 'state/a.ts', 'store/sqlite/b.ts'],
  ['a rule that sees a lane', 'rules-see-no-engine', 'state/a.ts', 'store/lane.ts'],
  [
    'an operation that sees an engine',
    'operations-see-no-engine',
    'store/ops/jobs/a.ts',
    'store/sqlite/b.ts',
  ],
  [
    'an operation that sees the store',
    'operations-see-no-engine',
    'store/ops/jobs/a.ts',
    'store/store.ts',
  ],
  [
    'an operation that imports one above it',
    'operations-import-only-what-is-below',
    'store/ops/jobs/a.ts',
    'store/ops/leases/b.ts',
  ],
  [
    'the log of events when it imports an operation',
    'operations-import-only-what-is-below',
    'store/ops/events/a.ts',
    'store/ops/jobs/b.ts',
  ],
  [
    'an operation on leases that imports one on crashes',
    'operations-above-jobs-import-only-what-is-below',
    'store/ops/leases/a.ts',
    'store/ops/crashes/b.ts',
  ],
  [
    'a shared file that sees an engine',
    'shared-files-see-no-engine-and-no-operation',
    'store/lane.ts',
    'store/sqlite/b.ts',
  ],
  [
    'a shared file that sees an operation',
    'shared-files-see-no-engine-and-no-operation',
    'store/sql.ts',
    'store/ops/jobs/b.ts',
  ],
  [
    'blobs that see an engine',
    'blobs-see-their-operations-and-no-engine',
    'store/blobs/a.ts',
    'store/sqlite/b.ts',
  ],
  [
    'blobs that see operations of others',
    'blobs-see-their-operations-and-no-engine',
    'store/blobs.ts',
    'store/ops/jobs/b.ts',
  ],
  [
    'an engine that sees a part of the blobs',
    'only-blobs-see-its-parts',
    'store/sqlite/a.ts',
    'store/blobs/b.ts',
  ],
  [
    'an engine that knows the other',
    'engines-do-not-know-each-other',
    'store/postgres/a.ts',
    'store/sqlite/b.ts',
  ],
];

/** One run over all of them: each takes a second, and more on a busy machine. */
async function everythingWrong(): Promise<readonly Broken[]> {
  const files: Record<string, string> = {
    'node_modules/better-sqlite3/package.json': '{"name":"better-sqlite3","main":"index.js"}',
    'node_modules/better-sqlite3/index.js': 'module.exports = class {};',
    'node_modules/pg/package.json': '{"name":"pg","main":"index.js"}',
    'node_modules/pg/index.js': 'module.exports = {};',
    'package.json': '{"dependencies":{"better-sqlite3":"1","pg":"1"}}',
  };
  for (const [, , , to] of wrong) files[`src/${to}`] = 'export type B = 1;\n';
  for (const [, , from, to] of wrong) {
    const way = relative(dirname(from), to)
      .replace(/^(?!\.)/, './')
      .replace('.ts', '.js');
    files[`src/${from}`] = `${files[`src/${from}`] ?? ''}export type * from '${way}';\n`;
  }
  for (const room of withoutSqlite) {
    files[`src/${room}/a-driver.ts`] = "import Database from 'better-sqlite3'; new Database('x');";
    files[`src/${room}/a-client.ts`] = "import pg from 'pg'; new pg.Client();";
  }
  return await broken(tree(files));
}

const withoutSqlite = ['state', 'store', 'store/ops/jobs'];

/** That the sources keep them is for `make check`. */
describe('the import rules', () => {
  let found: readonly Broken[];
  beforeAll(async () => {
    found = await everythingWrong();
  });

  /** Names of the rules that what `from` imports breaks; of `to` alone, where given. */
  const rulesOf = (from: string, to?: string) =>
    found
      .filter((one) => one.from === `src/${from}` && (!to || one.to === `src/${to}`))
      .map((one) => one.rule.name);

  test.each(wrong)('are broken by %s', (_, rule, from, to) => {
    expect(rulesOf(from, to)).toEqual([rule]);
  });

  test.each(withoutSqlite)('are broken by better-sqlite3 and by pg in %s', (room) => {
    expect(rulesOf(`${room}/a-driver.ts`)).toEqual(['better-sqlite3-only-in-store-sqlite']);
    expect(rulesOf(`${room}/a-client.ts`)).toEqual(['pg-only-in-store-postgres']);
  });

  test('within the store let everything import what it needs', async () => {
    const folder = tree({
      'src/state/a.ts':
        "import '../store/store.js'; import '../store/ops/leases/a.js'; import '../store/rows.js'",
      'src/store/store.ts': "import './sqlite/store.js'",
      'src/store/sqlite/store.ts': "import '../lane.js'; import '../ops/leases/a.js'",
      'src/store/lane.ts': "import './operation.js'",
      'src/store/operation.ts': '',
      'src/store/rows.ts': '',
      'src/store/ops/leases/a.ts': "import '../jobs/a.js'; import '../events/a.js'",
      'src/store/ops/jobs/a.ts': "import '../events/a.js'; import '../../operation.js'",
      'src/store/ops/events/a.ts': "import '../../operation.js'",
    });
    expect(await broken(folder)).toEqual([]);
  });
});
