import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { buildProgram, withAddressSanitizer } from '../bot/programs/build.js';
import { pandafuzz } from '../cli/run.js';
import { temporaryFile, temporaryFolder } from '../harness.js';

/* `pandafuzz fuzz` as people start it: the real command, a real clang's program, and nothing set up. */

const build = (...flags: string[]) =>
  buildProgram('fragile.c', [...withAddressSanitizer, '-DBUILD="one"', ...flags]);

test('one command fuzzes, keeps what it finds in a folder, and goes on there', async () => {
  const cwd = temporaryFolder();
  const target = await build();
  const args = ['fuzz', target, '--seeds', temporaryFile('BUG and more').path, '--jobs', '1'];
  const first = await pandafuzz([...args, '--duration', '5s', '--fail-on-crash'], { cwd });
  expect(first).toMatchObject({ code: 10 });
  expect(first.err).toMatch(/found: heap-buffer-overflow in overflow -> fuzz-fragile\/crashes\//);
  expect(first.out).toMatch(/1 bug found:\n {2}heap-buffer-overflow in overflow\n/);
  expect(first.out).toMatch(/from here +pandafuzz fuzz \S*fragile --seeds /);
  const crashes = join(cwd, 'fuzz-fragile/crashes');
  const [folder = ''] = readdirSync(crashes);
  expect(readFileSync(join(crashes, folder, 'input'), 'latin1')).toMatch(/^BUG/);
  expect(readFileSync(join(crashes, folder, 'report.md'), 'utf8')).toMatch(/AddressSanitizer/);

  const again = await pandafuzz([...args, '--duration', '2s', '--json'], { cwd });
  expect(again.code).toBe(0);
  expect(JSON.parse(again.out)).toMatchObject({
    folder: 'fuzz-fragile',
    groups: [{ kind: 'heap-buffer-overflow', isNew: false, folder: expect.any(String) }],
  });
});

test('a target that cannot run is said to be, with where to look', async () => {
  const args = ['fuzz', await build('-DBROKEN'), '--jobs', '1', '--duration', '30s'];
  const ran = await pandafuzz(args, { cwd: temporaryFolder() });
  expect(ran.code).toBe(1);
  expect(ran.err).toMatch(/nothing was fuzzed: .*exit code 3.*pandafuzz\.log/);
});

test('a second one in the same folder is refused', async () => {
  const [cwd, target] = [temporaryFolder(), await build()];
  const args = ['fuzz', target, '--jobs', '1', '--dir', 'here'];
  const running = pandafuzz([...args, '--duration', '15s'], { cwd });
  let second = await pandafuzz([...args, '--duration', '1s'], { cwd });
  // Whichever came first has the folder.
  if (second.code === 0) second = await running;
  expect(second).toMatchObject({
    code: 1,
    err: expect.stringMatching(/is used by|in use|another/),
  });
  await running;
});
