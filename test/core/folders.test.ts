import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { fileProblem, makeFolder } from '../../src/core/folders.js';
import { temporaryFolder } from '../harness.js';

const problemOf = (path: string) => makeFolder(path).then(() => undefined, fileProblem);

describe('making a folder', () => {
  test('makes those above it, and is content with what is there', async () => {
    const path = join(temporaryFolder(), 'a', 'b', 'c');
    await makeFolder(path);
    await makeFolder(path);
    expect(statSync(path).isDirectory()).toBe(true);
  });

  test('works when two make the same folder at once', async () => {
    const path = join(temporaryFolder(), 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 8 }, () => makeFolder(path)));
    expect(statSync(path).isDirectory()).toBe(true);
  });

  test('follows a link to a folder', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    await makeFolder(join(folder, 'link', 'below'));
    expect(statSync(join(folder, 'real', 'below')).isDirectory()).toBe(true);
  });

  test('ends below /proc, where none can be made', async () => {
    expect(await problemOf('/proc/pandafuzz/data')).toMatch(
      /makes no folder there: choose another/,
    );
  });

  test('names what is in the way', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(await problemOf(file)).toMatch(/a file is in its place: move it away/);
    expect(await problemOf(join(file, 'below'))).toMatch(/a file/);
    expect(await problemOf(join(temporaryFolder(), 'x'.repeat(300)))).toMatch(/path is too long/);
  });
});

describe('a problem with a file', () => {
  test.each([
    ['ENOSPC', /disk is full: free some space/],
    ['EACCES', /permissions do not allow it: change them/],
    ['EROFS', /read-only: mount it for writing/],
  ])('%s is told with what to do', (code, words) => {
    expect(fileProblem(Object.assign(new Error('raw'), { code }))).toMatch(words);
  });

  test('that has no words of its own keeps the system’s', () => {
    expect(fileProblem(Object.assign(new Error('EMFILE: raw'), { code: 'EMFILE' }))).toBe(
      'EMFILE: raw',
    );
  });
});
