import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { seedBounds } from '../../src/target/archive/bounds.js';
import { unpack } from '../../src/target/archive/unpack.js';
import { TargetFault } from '../../src/target/fault.js';
import { temporaryFolder } from '../harness.js';
import { bombOfZeros, fileOf, item, link, retyped, tarOf, zipOf } from './archives.js';

/** Unpacks into a folder within an empty one, so that what leaves it would show. */
async function unpacked(as: 'bundle' | 'seeds', bytes: Buffer, more = {}) {
  const around = temporaryFolder();
  const folder = join(around, 'in');
  const done = unpack({ as, archive: fileOf(bytes), folder, ...more });
  return { around, folder, done };
}

describe('a bundle', () => {
  test.each(['tar', 'tar.gz'] as const)('in a .%s comes out as it went in', async (kind) => {
    const name = Buffer.from('data/na\xff\xfeme', 'latin1');
    const tar = await tarOf([
      item('run', { isExecutable: true }, '#!/bin/sh\n'),
      item('data', { type: 'folder' }),
      item(name, {}, 'bytes'),
      item(`deep/${'n'.repeat(120)}`, {}, 'long'),
      link('lib.so', 'data/lib.so.1'),
      link('data/up', '../run'),
    ]);
    const { folder, done } = await unpacked('bundle', kind === 'tar' ? tar : gzipSync(tar));
    await done;
    expect(statSync(join(folder, 'run')).mode & 0o777).toBe(0o755);
    const path = Buffer.concat([Buffer.from(`${folder}/`), name]);
    expect(readFileSync(path, 'utf8')).toBe('bytes');
    expect(statSync(path).mode & 0o111).toBe(0);
    expect(readFileSync(join(folder, 'deep', 'n'.repeat(120)), 'utf8')).toBe('long');
    expect(readlinkSync(join(folder, 'lib.so'))).toBe('data/lib.so.1');
    expect(readFileSync(join(folder, 'data/up'), 'utf8')).toBe('#!/bin/sh\n');
  });

  test('in a .zip has its modes, and executables have theirs also without', async () => {
    const { folder, done } = await unpacked(
      'bundle',
      zipOf([
        { path: 'a/tool', bytes: Buffer.from('x'), mode: 0o100755 },
        { path: 'fuzzer', bytes: Buffer.from('\x7fELF...', 'latin1') },
        { path: 'data', bytes: Buffer.alloc(100_000, 'd') },
        { path: 'l', bytes: Buffer.from('a/tool'), mode: 0o120777 },
      ]),
    );
    await done;
    expect(statSync(join(folder, 'a/tool')).mode & 0o111).not.toBe(0);
    expect(statSync(join(folder, 'fuzzer')).mode & 0o111).not.toBe(0);
    expect(statSync(join(folder, 'data'))).toMatchObject({ size: 100_000 });
    expect(statSync(join(folder, 'data')).mode & 0o111).toBe(0);
    expect(lstatSync(join(folder, 'l')).isSymbolicLink()).toBe(true);
  });

  const evil: [string, () => Promise<Buffer> | Buffer, RegExp][] = [
    ['path that climbs', () => tarOf([item('a/../../out')]), /leads out/],
    ['path from the root', () => tarOf([item('/tmp/out')]), /leads out/],
    [
      'path of a .zip that climbs',
      () => zipOf([{ path: '../out', bytes: Buffer.from('x') }]),
      /leads out|damaged/,
    ],
    [
      'link to elsewhere',
      () => tarOf([link('l', '/etc'), item('l/out')]),
      /out of the bundle|both a file/,
    ],
    ['link that climbs', () => tarOf([link('a/l', '../../out')]), /out of the bundle/],
    [
      'link that climbs behind another',
      () => tarOf([link('d', 'a'), link('l', 'd/../..')]),
      /out of the bundle/,
    ],
    ['device', async () => retyped(await tarOf([item('null', {}, '')]), '3'), /a device or a pipe/],
    ['pipe', async () => retyped(await tarOf([item('pipe', {}, '')]), '6'), /a device or a pipe/],
    [
      'hard link to elsewhere',
      async () => retyped(await tarOf([link('l', '/etc/passwd')]), '1'),
      /leads out/,
    ],
    ['file under a file', () => tarOf([item('a'), item('a/b')]), /both a file and a folder/],
    ['hundred folders', () => tarOf([item(`${'d/'.repeat(100)}f`)]), /folders within each other/],
    [
      'cut',
      async () => (await tarOf([item('a', {}, 'x'.repeat(5000))])).subarray(0, 2000),
      /in the middle/,
    ],
    [
      'damaged',
      async () =>
        Buffer.concat([Buffer.alloc(257, 'x'), Buffer.from('ustar\0'), Buffer.alloc(300)]),
      /damaged/,
    ],
    ['cut .gz', async () => gzipSync(await tarOf([item('a')])).subarray(0, 40), /damaged/],
    ['text', () => Buffer.from('no archive'), /in no .tar/],
  ];
  test.each(evil)('with a %s is refused, and nothing leaves its folder', async (_, make, why) => {
    const { around, done } = await unpacked('bundle', await make());
    await expect(done).rejects.toThrow(why);
    await expect(done).rejects.toBeInstanceOf(TargetFault);
    expect(readdirSync(around).filter((name) => name !== 'in')).toEqual([]);
  });

  test('has no link before every file is there: none is written through', async () => {
    const tar = await tarOf([item('data', { type: 'folder' }), link('l', 'data'), item('l')]);
    const { folder, done } = await unpacked('bundle', tar);
    await done;
    expect(readdirSync(join(folder, 'data'))).toEqual([]);
  });
});

describe('seeds', () => {
  test('are files of one folder, by their content, whatever their names', async () => {
    const tar = await tarOf([
      item('../../a', {}, 'one'),
      item('/b', {}, 'one'),
      item(Buffer.from([0x66, 0xff]), {}, 'two'),
      link('l', '/etc/passwd'),
    ]);
    const { around, folder, done } = await unpacked('seeds', tar);
    await done;
    const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    expect(texts.sort()).toEqual(['one', 'two']);
    expect(readdirSync(around)).toEqual(['in']);
  });

  test('without a file are refused', async () => {
    const { done } = await unpacked('seeds', gzipSync(Buffer.alloc(2 ** 20)));
    await expect(done).rejects.toThrow(/no .tar|no file/);
  });
});

describe('a bomb', () => {
  test('of zeros ends while it comes out', async () => {
    const { folder, done } = await unpacked('seeds', bombOfZeros());
    await expect(done).rejects.toThrow(/more than 200 times/);
    const [part] = readdirSync(folder, { withFileTypes: true });
    expect(statSync(join(folder, part?.name ?? '')).size).toBeLessThan(2 * 64 * 2 ** 20);
  });

  test('in a .zip does too, whatever its directory says', async () => {
    const bytes = zipOf([{ path: 'zeros', bytes: Buffer.alloc(200 * 2 ** 20) }]);
    const { done } = await unpacked('bundle', bytes);
    await expect(done).rejects.toThrow(/more than 200 times/);
  });

  test('of entries ends at a number of them', async () => {
    const items = Array.from({ length: 50 }, (_, index) => item(`f${index}`));
    const bounds = { ...seedBounds, entries: 40 };
    const { done } = await unpacked('seeds', await tarOf(items), { bounds });
    await expect(done).rejects.toThrow('the seeds have more than 40 entries');
  });

  test('of bytes ends at a number of them', async () => {
    const bounds = { ...seedBounds, bytes: 10_000 };
    const { done } = await unpacked('seeds', await tarOf([item('a', {}, 'x'.repeat(9800))]), {
      bounds,
    });
    await expect(done).rejects.toThrow('the seeds unpack to more than 10000 bytes');
  });
});

describe('the thread that unpacks', () => {
  test('ends at its deadline', async () => {
    const folder = join(temporaryFolder(), 'in');
    const order = { as: 'seeds', archive: fileOf(bombOfZeros()), folder } as const;
    await expect(unpack(order, { timeoutMs: 1 })).rejects.toThrow(/was not unpacked within/);
  });

  test('ends with its signal', async () => {
    const stop = new AbortController();
    const folder = join(temporaryFolder(), 'in');
    const order = { as: 'seeds', archive: fileOf(bombOfZeros()), folder } as const;
    const done = unpack(order, { signal: stop.signal });
    stop.abort(new Error('the run is stopped'));
    await expect(done).rejects.toThrow('the run is stopped');
  });

  test("passes on the system's error with its code", async () => {
    const folder = join(temporaryFolder(), 'in');
    mkdirSync(folder);
    const done = unpack({ as: 'bundle', archive: join(folder, 'missing'), folder });
    await expect(done).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
