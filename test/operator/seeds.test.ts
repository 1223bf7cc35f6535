import { createHash } from 'node:crypto';
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
import { fileOf, zipOf } from '../target/archives.js';

function seeds(modified: number): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'deep'));
  for (const name of ['b', 'a', 'deep/c']) {
    writeFileSync(join(folder, name), name);
    utimesSync(join(folder, name), modified, modified);
  }
  return folder;
}

/** The name of a seed with this content. */
const named = (content: string) => createHash('sha256').update(content).digest('hex');

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

test('links to files elsewhere go along as those files, each content once', async () => {
  const folder = seeds(1);
  symlinkSync('a', join(folder, 'soft'));
  linkSync(join(folder, 'a'), join(folder, 'hard'));
  const elsewhere = join(temporaryFolder(), 'elsewhere');
  writeFileSync(elsewhere, 'else');
  symlinkSync(elsewhere, join(folder, 'far'));
  symlinkSync('nowhere', join(folder, 'dangling'));
  const entries: string[] = [];
  await withSeedArchive([folder], ({ path }) =>
    list({ file: path, onReadEntry: (entry) => entries.push(`${entry.path} ${entry.type}`) }),
  );
  expect(entries).toEqual(
    ['else', 'deep/c', 'b', 'a']
      .map(named)
      .sort()
      .map((one) => `${one} File`),
  );
});

test('an archive holds every file, and is gone after its use', async () => {
  const names: string[] = [];
  const path = await withSeedArchive([seeds(1)], async (archive) => {
    await list({ file: archive.path, onReadEntry: (entry) => names.push(entry.path) });
    return archive.path;
  });
  expect(names).toEqual(['a', 'b', 'deep/c'].map(named).sort());
  expect(() => readFileSync(path)).toThrow(/ENOENT/);
});

test('a file alone, names of any bytes, and an archive are taken', async () => {
  const folder = temporaryFolder();
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x61, 0xff])]), 'odd');
  const file = join(temporaryFolder(), 'one.zip.txt');
  writeFileSync(file, 'alone');
  const names: string[] = [];
  await withSeedArchive([folder, file], ({ path }) =>
    list({ file: path, onReadEntry: (entry) => names.push(entry.path) }),
  );
  expect(names).toEqual(['odd', 'alone'].map(named).sort());

  const archive = fileOf(zipOf([{ path: 'a', bytes: Buffer.from('zipped') }]), 'seeds.zip');
  const sent = await withSeedArchive([archive], async ({ path, name }) => [path, name]);
  expect(sent).toEqual([archive, 'seeds.zip']);
  const both = await withSeedArchive([archive, file], async ({ path }) => readFileSync(path));
  expect(
    both.equals(await withSeedArchive([file, archive], async ({ path }) => readFileSync(path))),
  ).toBe(true);
  const bad = fileOf(Buffer.from('text'), 'bad.tar.gz');
  await expect(withSeedArchive([bad], async () => 0)).rejects.toMatchObject({ exitCode: 65 });
});
