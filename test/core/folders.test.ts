import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { filesBelow, makeFolder, makeFolderSync } from '../../src/core/folders.js';
import { describeTrouble } from '../../src/core/system-trouble.js';
import { temporaryFolder } from '../harness.js';

const ways: [string, (path: string) => Promise<void>][] = [
  ['makeFolder', makeFolder],
  ['makeFolderSync', async (path) => makeFolderSync(path)],
];

describe.each(ways)('%s', (_, make) => {
  const troubleOf = (path: string) => make(path).then(() => undefined, describeTrouble);

  test('makes the parents, and accepts a folder that is there', async () => {
    const path = join(temporaryFolder(), 'a', 'b', 'c');
    await make(path);
    await make(path);
    expect(statSync(path).isDirectory()).toBe(true);
  });

  test('works when several make the same folder at once', async () => {
    const path = join(temporaryFolder(), 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 8 }, () => make(path)));
    expect(statSync(path).isDirectory()).toBe(true);
  });

  test('follows a link to a folder', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    await make(join(folder, 'link', 'below'));
    expect(statSync(join(folder, 'real', 'below')).isDirectory()).toBe(true);
  });

  test('ends below /proc, where no folder can be made', async () => {
    expect(await troubleOf('/proc/nowhere/below')).toMatch(
      /^\/proc\/nowhere does not exist, or cannot be made there/,
    );
  });

  test('names what is in the way', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(await troubleOf(file)).toBe(`${file} is a file: name a folder`);
    expect(await troubleOf(join(file, 'below'))).toMatch(/is a file/);
    expect(await troubleOf(join(temporaryFolder(), 'x'.repeat(300)))).toMatch(/too long a name/);
  });
});

test('filesBelow lists the plain files of folders and of those below, and no links', async () => {
  const [one, other] = [temporaryFolder(), temporaryFolder()];
  await makeFolder(join(one, 'below'));
  const paths = [join(one, 'a'), join(one, 'below', 'b'), join(other, 'c')];
  for (const path of paths) writeFileSync(path, '');
  symlinkSync(join(other, 'c'), join(one, 'link'));
  expect((await filesBelow(one, other)).sort()).toEqual(paths.sort());
  await expect(filesBelow(join(one, 'gone'))).rejects.toMatchObject({ code: 'ENOENT' });
});
