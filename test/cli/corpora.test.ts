import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { corpusInput } from '../../src/client/corpus.js';
import { atWork } from './at-work.js';

const sha = (text: string) => corpusInput(Buffer.from(text)).sha256;

/** A folder with files below it, one of which has a name that is no UTF-8. */
function someFiles(folder: string): void {
  mkdirSync(join(folder, 'inputs', 'deep'), { recursive: true });
  writeFileSync(join(folder, 'inputs', 'one'), 'one');
  writeFileSync(join(folder, 'inputs', 'deep', 'one'), 'two');
  const odd = Buffer.concat([Buffer.from(join(folder, 'inputs/')), Buffer.from([0xff, 0xfe])]);
  writeFileSync(odd, 'three');
  writeFileSync(join(folder, 'inputs', 'long'), Buffer.alloc(2 ** 20 + 1));
}

test('files go into a corpus and come out of it, by folder and by archive', async () => {
  const { run, folder } = await atWork();
  expect((await run('corpus', 'list')).out).toMatch(/no corpora/);
  someFiles(folder);
  const first = await run('corpus', 'import', 'png', 'inputs');
  expect(first).toMatchObject({ code: 0, err: '' });
  expect(first.out).toBe('png: 3 inputs added, 0 known before; 1 longer than 1.0 MiB left out\n');
  writeFileSync(join(folder, 'four'), 'four');
  execFileSync('tar', ['-czf', 'some.tar.gz', 'four', 'inputs/one'], { cwd: folder });
  const second = await run('corpus', 'import', 'png', 'some.tar.gz', 'four', '--json');
  expect(JSON.parse(second.out)).toMatchObject({ added: 1, known: 2, tooLong: 0 });
  const other = await run('corpus', 'import', 'png', 'four', '--project', 'images');
  expect(other.out).toBe('images/png: 1 input added, 0 known before\n');

  const got = JSON.parse((await run('corpus', 'get', 'png', '--json')).out);
  expect(got).toMatchObject({ project: 'default', targetName: 'png', entries: 4, bytes: 15 });
  expect((await run('corpus', 'get', 'png')).out).toMatch(/^from +4 inputs imported, 15 B$/m);
  expect((await run('corpus', 'ls')).out).toMatch(/default +png +4 +15 B.*\nimages +png +1 +4 B/);

  const out = await run('corpus', 'export', 'png', '-o', 'out');
  expect(out.out).toBe('out: 4 inputs, 4 of them new there\n');
  expect(readFileSync(join(folder, 'out', sha('three')), 'utf8')).toBe('three');
  const packed = await run('corpus', 'export', 'png', '-o', 'out.tar.gz');
  expect(packed.out).toBe('out.tar.gz: 4 inputs\n');
  mkdirSync(join(folder, 'unpacked'));
  execFileSync('tar', ['-xzf', '../out.tar.gz'], { cwd: join(folder, 'unpacked') });
  expect(readdirSync(join(folder, 'unpacked')).sort()).toEqual(
    ['one', 'two', 'three', 'four'].map(sha).sort(),
  );
  expect(await run('corpus', 'export', 'png', '-o', 'out.tar.gz')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/--force/),
  });
});

test('inputs are removed, and a corpus is emptied only with --yes', async () => {
  const { run, folder } = await atWork();
  someFiles(folder);
  await run('corpus', 'import', 'png', 'inputs');
  const removed = await run('corpus', 'remove', 'png', sha('one').slice(0, 12), 'ffffffff');
  expect(removed).toMatchObject({
    code: 1,
    out: '1 input removed\n',
    err: 'pandafuzz: ffffffff: there is no such input in the corpus\n',
  });
  expect(await run('corpus', 'remove', 'png', 'no')).toMatchObject({ code: 64 });
  const refused = await run('corpus', 'reset', 'png');
  expect(refused).toMatchObject({ code: 64, err: expect.stringMatching(/--yes/) });
  expect((await run('corpus', 'reset', 'png', '--yes')).out).toBe(
    'png is empty: 2 inputs removed\n',
  );
  expect(await run('corpus', 'export', 'png')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/corpus of png is empty/),
  });
});

test('what cannot be done is said in words', async () => {
  const { run } = await atWork();
  for (const command of [['get'], ['export'], ['merge'], ['reset', '--yes']]) {
    const [name = '', ...flags] = command;
    expect(await run('corpus', name, 'png', ...flags)).toMatchObject({
      code: 1,
      err: 'pandafuzz: there is no corpus of png: "pandafuzz corpus list" shows them all\n',
    });
  }
  expect(await run('corpus', 'import', 'png', 'nowhere')).toMatchObject({
    code: 66,
    err: 'pandafuzz: nowhere: there is no such file or folder\n',
  });
  await run('corpus', 'import', 'png', 'fuzzer');
  expect(await run('corpus', 'merge', 'png')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/no job of this target is left/),
  });
});
