import {
  appendFileSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { temporaryFolder, testContext } from '../../harness.js';
import { Shelf, sha256Of } from './shelf.js';

const inputs = (count: number, about = 'input') =>
  Array.from({ length: count }, (_, i) => Buffer.from(`${about} ${i} ${'.'.repeat(i % 50)}`));

const packsOf = (directory: string) =>
  readdirSync(join(directory, 'blobs/packs'))
    .sort()
    .map((name) => join(directory, 'blobs/packs', name));

/** Files of blobs outside of packs. */
const filesOf = (directory: string) =>
  readdirSync(join(directory, 'blobs'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^..\/[0-9a-f]{64}$/.test(name),
  );

describe('small blobs', () => {
  test('lie in packs, come back in order, and again after a restart', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    const all = [Buffer.alloc(0), ...inputs(300)];
    expect(await shelf.push(all.slice(0, 200))).toBe(200);
    expect(await shelf.push(all.slice(100))).toBe(101);
    expect(await shelf.contents()).toEqual(all.map(String));
    expect(filesOf(shelf.directory)).toEqual([]);
    const packs = packsOf(shelf.directory);
    expect(packs.length).toBeGreaterThan(1);
    const before = packs.map((path) => statSync(path).size);
    await shelf.reopen();
    expect(await shelf.contents()).toEqual(all.map(String));
    expect(await shelf.push(all)).toBe(0);
    expect(packsOf(shelf.directory).map((path) => statSync(path).size)).toEqual(before);
  });

  test('that are sent at the same time are each kept once, and all can be read', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    const some = inputs(60);
    const pushes = Array.from({ length: 8 }, (_, i) => shelf.push(some.slice(i, i + 50)));
    const added = await Promise.all(pushes);
    expect(added.reduce((sum, count) => sum + count, 0)).toBe(57);
    expect((await shelf.contents()).sort()).toEqual(some.slice(0, 57).map(String).sort());
  });

  test('of which one does not have its SHA-256 are none of them kept', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    const batch = shelf.store.blobs.batch();
    const [one, other] = [Buffer.from('one'), Buffer.from('other')];
    await batch.add(testContext(), { sha256: sha256Of(one), sizeBytes: 3 }, [one]);
    await batch.add(testContext(), { sha256: sha256Of(other), sizeBytes: 3 }, [one]);
    await expect(batch.settle(testContext())).rejects.toThrow('do not have the announced SHA-256');
    batch.end();
    expect(packsOf(shelf.directory)).toEqual([]);
  });

  test('beside large ones keep their order', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    const large = Buffer.alloc(100_000, 'x');
    const all = [Buffer.from('a'), large, Buffer.from('b')];
    await shelf.push(all);
    expect(await shelf.contents()).toEqual(all.map(String));
    expect(filesOf(shelf.directory)).toHaveLength(1);
  });

  test('that earlier versions kept as files are known, and read', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    const old = Buffer.from('of 0.1.0');
    await shelf.push([old]);
    const [pack = ''] = packsOf(shelf.directory);
    truncateSync(pack, 0);
    // Not in a pack any more, but under its name.
    const name = sha256Of(old);
    writeFileSync(join(shelf.directory, 'blobs', name.slice(0, 2), name), old);
    await shelf.push([old]);
    expect(await shelf.contents()).toEqual(['of 0.1.0']);
  });
});

describe('a pack that was cut', () => {
  const all = inputs(40);

  test.each([0.1, 0.5, 0.999])('at %d of its length gives back what is before', async (share) => {
    const shelf = await Shelf.open(temporaryFolder());
    await shelf.push(all);
    const [pack = ''] = packsOf(shelf.directory);
    const cutAt = Math.floor(statSync(pack).size * share);
    await shelf.store.close();
    truncateSync(pack, cutAt);
    await shelf.reopen();
    const found = await shelf.contents();
    const whole = found.indexOf(undefined);
    expect(whole).toBeGreaterThan(0);
    expect(found).toEqual(all.map((bytes, index) => (index < whole ? String(bytes) : undefined)));
    // What is sent again is kept again.
    expect(await shelf.push(all)).toBe(0);
    expect(await shelf.contents()).toEqual(all.map(String));
    await shelf.reopen();
    expect(await shelf.contents()).toEqual(all.map(String));
  });

  test('and is sent again before anybody has read it is kept again', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    await shelf.push(all);
    const [pack = ''] = packsOf(shelf.directory);
    truncateSync(pack, 100);
    await shelf.push(all);
    expect(await shelf.contents()).toEqual(all.map(String));
  });

  test('in the middle of an entry that was never acknowledged loses that entry only', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    await shelf.push(all.slice(0, 5));
    const [pack = ''] = packsOf(shelf.directory);
    const { size } = statSync(pack);
    await shelf.store.close();
    // A whole entry that no row was made for, then half of one: the first entry again.
    const first = readFileSync(pack).subarray(0, 44 + Buffer.byteLength(String(all[0])));
    appendFileSync(pack, first);
    appendFileSync(pack, first.subarray(0, -3));
    await shelf.reopen();
    expect(statSync(pack).size).toBe(size + first.length);
    await shelf.push(all.slice(5));
    expect(await shelf.contents()).toEqual(all.map(String));
  });

  test.each(['header', 'checksum', 'bytes'])(
    'or damaged in the %s of an entry gives back the others',
    async (where) => {
      const shelf = await Shelf.open(temporaryFolder());
      await shelf.push(all.slice(0, 10));
      const [pack = ''] = packsOf(shelf.directory);
      const bytes = readFileSync(pack);
      const third = all.slice(0, 2).reduce((at, one) => at + 44 + one.length, 0);
      const at = third + { header: 0, checksum: 41, bytes: 46 }[where as 'header'];
      bytes.writeUInt8(bytes.readUInt8(at) ^ 0x55, at);
      writeFileSync(pack, bytes);
      const expected = all
        .slice(0, 10)
        .map((one, index) => (index === 2 ? undefined : String(one)));
      expect(await shelf.contents()).toEqual(expected);
      await shelf.push(all.slice(0, 10));
      expect((await shelf.contents())[2]).toBe(String(all[2]));
    },
  );
});
