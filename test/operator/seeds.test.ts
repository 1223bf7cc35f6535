import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { list } from 'tar';
import { withSeedArchive } from '../../src/operator/seeds.js';
import { temporaryFolder } from '../harness.js';

function seeds(modified: number): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'deep'));
  for (const name of ['b', 'a', 'deep/c']) {
    writeFileSync(join(folder, name), name);
    utimesSync(join(folder, name), modified, modified);
  }
  return folder;
}

test('the same files make the same archive, whatever their times and folder', async () => {
  const bytesOf = (folder: string) =>
    withSeedArchive(folder, async ({ path }) => readFileSync(path));
  expect((await bytesOf(seeds(1))).equals(await bytesOf(seeds(2_000_000)))).toBe(true);
});

test('an archive holds every file, and is gone after its use', async () => {
  const names: string[] = [];
  const path = await withSeedArchive(seeds(1), async (archive) => {
    await list({ file: archive.path, onReadEntry: (entry) => names.push(entry.path) });
    return archive.path;
  });
  expect(names).toEqual(['./a', './b', './deep/c']);
  expect(() => readFileSync(path)).toThrow(/ENOENT/);
});
