import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
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

const bytesOf = (folder: string) =>
  withSeedArchive([folder], async ({ path }) => readFileSync(path));

test('the same files make the same archive, whatever their times, modes and folder', async () => {
  const others = seeds(2_000_000);
  chmodSync(join(others, 'a'), 0o755);
  expect((await bytesOf(seeds(1))).equals(await bytesOf(others))).toBe(true);
});

test('other contents make another archive', async () => {
  const others = seeds(1);
  writeFileSync(join(others, 'a'), 'b');
  expect((await bytesOf(seeds(1))).equals(await bytesOf(others))).toBe(false);
});

test('links go along as the files they lead to, since bots unpack no links', async () => {
  const folder = seeds(1);
  symlinkSync('a', join(folder, 'soft'));
  linkSync(join(folder, 'a'), join(folder, 'hard'));
  symlinkSync('nowhere', join(folder, 'dangling'));
  const entries: string[] = [];
  await withSeedArchive([folder], ({ path }) =>
    list({ file: path, onReadEntry: (entry) => entries.push(`${entry.path} ${entry.type}`) }),
  );
  expect(entries).toEqual(
    ['./a', './b', './deep/c', './hard', './soft'].map((path) => `${path} File`),
  );
});

test('an archive holds every file, and is gone after its use', async () => {
  const names: string[] = [];
  const path = await withSeedArchive([seeds(1)], async (archive) => {
    await list({ file: archive.path, onReadEntry: (entry) => names.push(entry.path) });
    return archive.path;
  });
  expect(names).toEqual(['./a', './b', './deep/c']);
  expect(() => readFileSync(path)).toThrow(/ENOENT/);
});
