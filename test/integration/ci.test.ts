import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { buildProgram, withAddressSanitizer } from '../bot/programs/build.js';
import { pandafuzz } from '../cli/run.js';
import { temporaryFile, temporaryFolder } from '../harness.js';

/* `pandafuzz ci` on one machine: a real clang's program, and no master. */

test('ci needs no master, and goes on with what the folder has', async () => {
  const cwd = temporaryFolder();
  const flags = [...withAddressSanitizer, '-DBUILD="one"'];
  const target = await buildProgram('fragile.c', flags);
  const seeds = ['--seeds', temporaryFile('BUG and more').path];
  const args = ['--jobs', '1', '--duration', '2s', '--dir', 'kept', '--sarif', 'out.sarif'];
  const first = await pandafuzz(['ci', target, ...seeds, ...args], { cwd });
  expect(first).toMatchObject({ code: 10 });
  expect(first.out).toMatch(/^1 bug new in this build:\n {2}heap-buffer-overflow in overflow\n/m);
  const [bug = ''] = readdirSync(join(cwd, 'kept/new'));
  expect(readFileSync(join(cwd, 'kept/new', bug, 'report.md'), 'utf8')).toMatch(/Sanitizer/);

  const mended = await buildProgram('fragile.c', [...flags, '-DMENDED']);
  const second = await pandafuzz(['ci', mended, ...args], { cwd });
  expect(second).toMatchObject({ code: 0 });
  expect(second.out).toMatch(/^no crash that is new in this build$/m);
  expect(JSON.parse(readFileSync(join(cwd, 'out.sarif'), 'utf8')).runs[0].results).toEqual([]);
  expect(existsSync(join(cwd, 'kept/new'))).toBe(false);
});
