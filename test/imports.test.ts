import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
    ['state', 'crashes', 'jobs'],
    ['state', 'jobs', 'upkeep'],
    ['bot', 'sandbox', 'runs'],
    ['bot', 'engines', 'findings'],
    ['rpc', 'beneath', 'streams'],
  ])('are broken within %s by %s that reaches up to %s', async (room, step, above) => {
    const from = `src/${room}/${step}/a.ts`;
    const text = `import type { B } from '../${above}/b.js'`;
    const to = `src/${room}/${above}/b.ts`;
    const found = await broken(tree({ [from]: text, [to]: 'export type B = 1;' }));
    expect(found).toEqual([`${room}-${step}-imports-only-what-is-below`]);
  });

  test('are broken by a library outside its room', async () => {
    const folder = tree({
      'src/state/a.ts': "import Database from 'better-sqlite3'; new Database('x');",
      'node_modules/better-sqlite3/package.json': '{"name":"better-sqlite3","main":"index.js"}',
      'node_modules/better-sqlite3/index.js': 'module.exports = class {};',
      'package.json': '{"dependencies":{"better-sqlite3":"1"}}',
    });
    expect(await broken(folder)).toEqual(['better-sqlite3-only-in-store']);
  });
});
