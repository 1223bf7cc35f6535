import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { temporaryFolder } from './harness.js';

const rules = join(process.cwd(), '.dependency-cruiser.mjs');
const program = join(process.cwd(), 'node_modules/.bin/depcruise');

/** Names of the rules that the tree below `folder`/src breaks. */
async function broken(folder: string): Promise<string[]> {
  const flags = ['--config', rules, '--output-type', 'json', 'src'];
  const run = promisify(execFile)(program, flags, { cwd: folder, maxBuffer: 2 ** 26 });
  const { stdout } = await run.catch((failed: { stdout: string }) => failed);
  const { summary } = JSON.parse(stdout) as {
    summary: { totalCruised: number; violations: { rule: { name: string } }[] };
  };
  expect(summary.totalCruised).toBeGreaterThan(0);
  return [...new Set(summary.violations.map(({ rule }) => rule.name))];
}

function tree(files: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries({ 'tsconfig.json': '{}', ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

describe('the import rules', () => {
  test('hold for every import of the sources', async () => {
    expect(await broken(process.cwd())).toEqual([]);
  });

  test.each([
    ['an import that goes up', 'src/store/a.ts', "import '../state/b.js'", 'src/state/b.ts'],
    [
      'a type that goes up',
      'src/state/a.ts',
      "import type { B } from '../rpc/b.js'",
      'src/rpc/b.ts',
    ],
    [
      'a bot that reaches into the master',
      'src/bot/a.ts',
      "import '../store/b.js'",
      'src/store/b.ts',
    ],
    ['a leaf that reaches anywhere', 'src/core/a.ts', "import '../config/b.js'", 'src/config/b.ts'],
  ])('are broken by %s', async (_, from, text, to) => {
    const found = await broken(tree({ [from]: text, [to]: 'export type B = 1;' }));
    expect(found).toEqual([`${from.split('/')[1]}-imports-only-what-is-below`]);
  });

  test.each([
    ['state', 'leases', 'scheduling'],
    ['state', 'bots', 'heartbeat'],
    ['state', 'crashes', 'heartbeat'],
    ['state', 'jobs', 'upkeep'],
    ['bot', 'sandbox', 'runs'],
    ['bot', 'engines', 'findings'],
    ['rpc', 'streams', 'beneath'],
  ])('are broken within %s by %s that reaches up to %s', async (room, step, above) => {
    const from = `src/${room}/${step}/a.ts`;
    const text = `import type { B } from '../${above}/b.js'`;
    const to = `src/${room}/${above}/b.ts`;
    const found = await broken(tree({ [from]: text, [to]: 'export type B = 1;' }));
    expect(found).toEqual([`${room}-${step}-imports-only-what-is-below`]);
  });

  test.each([
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
  ])('within the store are broken by %s', async (_, rule, from, to) => {
    const text = `import type { B } from '${relative(dirname(from), to)
      .replace(/^(?!\.)/, './')
      .replace('.ts', '.js')}'`;
    const found = await broken(
      tree({ [`src/${from}`]: text, [`src/${to}`]: 'export type B = 1;' }),
    );
    expect(found).toEqual([rule]);
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

  test.each(['state', 'store', 'store/ops/jobs'])(
    'are broken by better-sqlite3 in %s',
    async (room) => {
      const folder = tree({
        [`src/${room}/a.ts`]: "import Database from 'better-sqlite3'; new Database('x');",
        'node_modules/better-sqlite3/package.json': '{"name":"better-sqlite3","main":"index.js"}',
        'node_modules/better-sqlite3/index.js': 'module.exports = class {};',
        'package.json': '{"dependencies":{"better-sqlite3":"1"}}',
      });
      expect(await broken(folder)).toEqual(['better-sqlite3-only-in-store-sqlite']);
    },
  );
});
