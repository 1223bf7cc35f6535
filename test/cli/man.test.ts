import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { manPages } from '../../src/cli/man/pages.js';
import { everyCommand, makeProgram } from '../../src/cli/program.js';
import { temporaryFolder } from '../harness.js';

const has = (program: string) =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));

const edition = { version: '1.2.3', date: new Date('2020-01-31') };

/** The checker that is here, which prints nothing for pages without faults. */
const checkers: readonly [string, string[]][] = [
  ['mandoc', ['-Tlint', '-Wwarning']],
  ['groff', ['-man', '-ww', '-z', '-Tutf8', '-k']],
];
const [checker, args] = checkers.find(([program]) => has(program)) ?? [];

test('there is a page for every command, from the texts of its --help', async () => {
  const program = await makeProgram();
  const pages = manPages(program, edition);
  expect(pages).toHaveLength(everyCommand(program).length);
  const page = pages.find(({ name }) => name === 'pandafuzz-job-list')?.text ?? '';
  expect(page).toMatch(/^\.TH PANDAFUZZ-JOB-LIST 1 2020-01-31 "pandafuzz 1\.2\.3"/);
  expect(page).toContain('pandafuzz\\-job\\-list \\- list jobs\n');
  expect(page).toMatch(/^\\fB\\-\\-state <state>\\fR\nonly jobs in this state/m);
  expect(page).toMatch(/\.SH EXAMPLES\n\.nf\n {2}\$ pandafuzz job list \\-\\-state running\n/);
  expect(page).toMatch(/\.SH SEE ALSO\npandafuzz\\-job\(1\)\n$/);
});

const orAbsent = checker === undefined ? test.skip : test;
if (checker === undefined) {
  process.stderr.write('man pages: neither mandoc nor groff is here, so they are NOT checked\n');
}

orAbsent('no page has a fault', async () => {
  const folder = temporaryFolder();
  const files = manPages(await makeProgram(), edition).map(({ name, text }) => {
    const file = join(folder, `${name}.1`);
    writeFileSync(file, text);
    return file;
  });
  const options = { stdio: 'pipe' as const, encoding: 'utf8' as const };
  const script = `${checker} ${args?.join(' ')} "$@" 2>&1 || true`;
  expect(execFileSync('sh', ['-c', script, 'sh', ...files], options)).toBe('');
});
