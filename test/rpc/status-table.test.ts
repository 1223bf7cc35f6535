import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { DomainError, domainErrors } from '../../src/core/errors.js';
import { temporaryFolder } from '../harness.js';

const root = process.cwd();
const compiler = join(root, 'node_modules/.bin/tsc');
const newClass = `export class BrandNewError extends DomainError<object> {
  override readonly name = 'BrandNewError';
}
`;

/** What the compiler finds in the errors and their table, after `change` to the errors' text. */
async function complaints(change: (text: string) => string): Promise<string> {
  const folder = temporaryFolder();
  for (const part of ['src/core', 'src/gen/google', 'src/rpc/status.ts']) {
    mkdirSync(join(folder, part, '..'), { recursive: true });
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const file of ['package.json', 'tsconfig.json'])
    cpSync(join(root, file), join(folder, file));
  const errors = join(folder, 'src/core/errors.ts');
  const [before, after] = [readFileSync(errors, 'utf8'), change(readFileSync(errors, 'utf8'))];
  if (change !== asItIs) expect(after).not.toBe(before);
  writeFileSync(errors, after);
  const flags = ['--project', '.', '--noEmit', '--incremental', 'false'];
  const run = promisify(execFile)(compiler, flags, { cwd: folder });
  return (await run.catch((failed: { stdout: string }) => failed)).stdout;
}

const asItIs = (text: string) => text;
const planted = (text: string) => text.replace(/^export class CancelledError/m, `${newClass}$&`);
const listed = (text: string) => text.replace('const domainErrors = {', '$& BrandNewError,');

describe('a new error', () => {
  test('does not compile before it is listed', async () => {
    expect(await complaints(asItIs)).toBe('');
    expect(await complaints(planted)).toMatch(/errors\.ts.*'name'.*\n?.*BrandNewError/);
  });

  test('does not compile before the table has a status for it', async () => {
    const found = await complaints((text) => listed(planted(text)));
    expect(found).toMatch(/src\/rpc\/status\.ts\(.*'BrandNewError' is missing/s);
    expect(found).not.toMatch(/src\/core/);
  });
});

test('every error goes by the name of its class', () => {
  for (const [name, Class] of Object.entries(domainErrors)) {
    expect(Class.name).toBe(name);
    expect(Class.prototype).toBeInstanceOf(DomainError);
    const fields = { violations: [], resource: '', operation: '', why: '', what: '' };
    expect(new (Class as new (fields: object) => Error)(fields).name).toBe(name);
  }
});
