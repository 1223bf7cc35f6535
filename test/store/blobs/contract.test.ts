import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { silentLog } from '../../../src/core/log.js';
import { type BlobPlaceOption, copyBlobs } from '../../../src/store/blobs.js';
import { putArtifact } from '../../../src/store/ops/corpus/put-artifact.js';
import { temporaryFolder, testContext } from '../../harness.js';
import { type S3Server, s3Options, startS3 } from '../../s3/server.js';
import { target, tick } from '../inputs.js';
import { Shelf, sha256Of } from './shelf.js';

let server: S3Server;
beforeAll(async () => {
  server = await startS3();
});
afterAll(() => server.stop());

const places: readonly [string, () => BlobPlaceOption][] = [
  ['a folder', () => 'folder'],
  ['S3', () => s3Options(server)],
];

const inputs = (count: number, about = 'input') =>
  Array.from({ length: count }, (_, i) => Buffer.from(`${about} ${i} ${'.'.repeat(40)}`));

/** Bytes that no part repeats. */
function largeFile(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at + 4 <= sizeBytes; at += 4)
    bytes.writeUInt32LE((at * 2_654_435_761) % 2 ** 32, at);
  return bytes;
}

async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** As an upload of an artifact does it. */
function upload(shelf: Shelf, bytes: Buffer, sha256 = sha256Of(bytes)) {
  const ctx = testContext();
  const row = { sha256, kind: 'target' as const, name: 'a', size_bytes: bytes.length };
  const record = () => shelf.store.run(ctx, putArtifact, { ...row, created_at: tick() });
  return shelf.store.blobs.keep(ctx, { sha256, sizeBytes: bytes.length }, [bytes], record);
}

const read = (shelf: Shelf, sha256: string, offset = 0) =>
  bytesOf(shelf.store.blobs.read(testContext(), sha256, { offset, chunkBytes: 65_536 }));

describe.each(places)('blobs in %s', (_, placeOf) => {
  test('come back in order, small and large, and again after a restart', async () => {
    const shelf = await Shelf.open(temporaryFolder(), placeOf());
    const all = [Buffer.alloc(0), ...inputs(100), largeFile(100_000), Buffer.from('last')];
    expect(await shelf.push(all.slice(0, 60))).toBe(60);
    expect(await shelf.push(all.slice(30))).toBe(all.length - 60);
    expect(await shelf.contents()).toEqual(all.map(String));
    await shelf.reopen();
    expect(await shelf.push(all)).toBe(0);
    expect(await shelf.contents()).toEqual(all.map(String));
    expect(await shelf.push(inputs(5, 'new'))).toBe(5);
    expect(await shelf.contents()).toEqual([...all, ...inputs(5, 'new')].map(String));
  });

  test('that come at the same time are each kept once', async () => {
    const shelf = await Shelf.open(temporaryFolder(), placeOf());
    const some = inputs(60);
    const pushes = Array.from({ length: 8 }, (_, i) => shelf.push(some.slice(i, i + 50)));
    const added = await Promise.all(pushes);
    expect(added.reduce((sum, count) => sum + count, 0)).toBe(57);
    expect((await shelf.contents()).sort()).toEqual(some.slice(0, 57).map(String).sort());
    const large = largeFile(100_000);
    await Promise.all([upload(shelf, large), upload(shelf, large), upload(shelf, large)]);
    expect((await read(shelf, sha256Of(large))).equals(large)).toBe(true);
  });

  test('of many parts are read whole, and from an offset', async () => {
    const shelf = await Shelf.open(temporaryFolder(), placeOf());
    const large = largeFile(17 * 2 ** 20 + 5);
    const name = sha256Of(large);
    await upload(shelf, large);
    expect((await read(shelf, name)).equals(large)).toBe(true);
    expect((await read(shelf, name, large.length - 100)).equals(large.subarray(-100))).toBe(true);
    expect((await read(shelf, name, large.length)).length).toBe(0);
    const wanted = { offset: 10, chunkBytes: 1000 };
    const file = await shelf.store.blobs.openFile(testContext(), { sha256: name }, wanted);
    expect(file?.sizeBytes).toBe(large.length);
    expect((await bytesOf(file?.chunks as AsyncIterable<Buffer>)).equals(large.subarray(10))).toBe(
      true,
    );
    const none = { sha256: 'f'.repeat(64) };
    expect(await shelf.store.blobs.openFile(testContext(), none, wanted)).toBeUndefined();
  });

  test('that were received elsewhere are adopted, and their file is gone', async () => {
    const shelf = await Shelf.open(temporaryFolder(), placeOf());
    const bytes = largeFile(50_000);
    const path = join(shelf.directory, 'received');
    writeFileSync(path, bytes);
    const ctx = testContext();
    const sha256 = sha256Of(bytes);
    expect(await shelf.store.blobs.has(ctx, sha256)).toBe(false);
    await shelf.store.blobs.adopt(ctx, { sha256, path }, async () => {});
    expect(await shelf.store.blobs.has(ctx, sha256)).toBe(true);
    expect((await read(shelf, sha256)).equals(bytes)).toBe(true);
    expect(() => writeFileSync(path, '', { flag: 'r+' })).toThrow('ENOENT');
  });

  test('that are not what was announced are not kept', async () => {
    const shelf = await Shelf.open(temporaryFolder(), placeOf());
    const bytes = largeFile(80_000);
    const other = sha256Of(Buffer.from('other'));
    await expect(upload(shelf, bytes, other)).rejects.toThrow('announced SHA-256');
    expect(await shelf.store.blobs.has(testContext(), other)).toBe(false);
    const batch = shelf.store.blobs.batch();
    await batch.add(testContext(), { sha256: other, sizeBytes: 3 }, [Buffer.from('one')]);
    await expect(batch.settle(testContext())).rejects.toThrow('announced SHA-256');
    batch.end();
  });

  test('that nothing refers to are swept, and nothing else', async () => {
    const shelf = await Shelf.open(temporaryFolder(), placeOf());
    const large = largeFile(200_000);
    const all = [...inputs(120), large];
    for (let at = 0; at < 120; at += 40) await shelf.push(all.slice(at, at + 40));
    await shelf.push([large]);
    const left = all.slice(0, 120).filter((_, index) => index % 5 === 0);
    shelf.remove(all.filter((one) => !left.includes(one)));
    const { blobs, bytes } = await shelf.sweep(6);
    expect(blobs).toBe(all.length - left.length);
    expect(bytes).toBeGreaterThan(large.length);
    expect(await shelf.contents()).toEqual(left.map(String));
    const wanted = { offset: 0, chunkBytes: 1000 };
    const gone = { sha256: sha256Of(large) };
    expect(await shelf.store.blobs.openFile(testContext(), gone, wanted)).toBeUndefined();
    await shelf.reopen();
    expect(await shelf.contents()).toEqual(left.map(String));
    // What was swept is kept again.
    expect(await shelf.push(all)).toBe(all.length - left.length);
    expect((await shelf.contents()).sort()).toEqual(all.map(String).sort());
  });

  test('that are being uploaded are not swept, though nothing refers to them yet', async () => {
    const shelf = await Shelf.open(temporaryFolder(), placeOf());
    const all = [...inputs(40), largeFile(200_000)];
    await shelf.push(all.slice(0, 20));
    shelf.remove(all.slice(0, 20));
    await shelf.sweep(1);
    expect(await shelf.push(all, async () => void (await shelf.sweep(6)))).toBe(41);
    await shelf.sweep(6);
    expect(await shelf.contents()).toEqual(all.map(String));
  });
});

describe('blobs in S3', () => {
  test('small ones of many uploads are joined into fewer objects', async () => {
    const shelf = await Shelf.open(temporaryFolder(), s3Options(server));
    const all = inputs(20);
    for (const one of all) await shelf.push([one]);
    const packsOf = () => shelf.query<{ id: number }>('SELECT id FROM packs').length;
    expect(packsOf()).toBe(20);
    await shelf.sweep(3);
    expect(packsOf()).toBeLessThan(10);
    expect(await shelf.contents()).toEqual(all.map(String));
    await shelf.reopen();
    expect(await shelf.contents()).toEqual(all.map(String));
  });

  test('came from a folder, and go back, with nothing lost on the way', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    const large = largeFile(9 * 2 ** 20);
    const all = [...inputs(150), largeFile(100_000)];
    await shelf.push(all.slice(0, 100));
    await shelf.push(all.slice(100));
    await upload(shelf, large);
    const s3 = s3Options(server);
    const copy = async (to: 'folder' | 's3') => {
      await shelf.reopen('unused');
      const { signal } = testContext();
      return copyBlobs({
        directory: join(shelf.directory, 'blobs'),
        ...{ s3, to, log: silentLog, signal, onProgress: () => {} },
        run: (operation, input) => shelf.store.run(testContext(), operation, input),
      });
    };
    // The shelf's target has no bytes.
    const lost = [target.sha256];
    expect(await copy('s3')).toMatchObject({ blobs: 153, lost });
    await expect(shelf.reopen('folder')).rejects.toThrow(`blobs of this database are in ${s3.url}`);
    await expect(copy('s3')).rejects.toThrow('already');
    rmSync(join(shelf.directory, 'blobs'), { recursive: true });
    await shelf.reopen(s3);
    expect(await shelf.contents()).toEqual(all.map(String));
    expect((await read(shelf, sha256Of(large))).equals(large)).toBe(true);
    expect(await shelf.push(inputs(10, 'new'))).toBe(10);
    expect(await copy('folder')).toMatchObject({ blobs: 163, lost });
    await shelf.reopen('folder');
    expect(await shelf.contents()).toEqual([...all, ...inputs(10, 'new')].map(String));
    expect((await read(shelf, sha256Of(large))).equals(large)).toBe(true);
    expect(await shelf.push(inputs(10, 'newer'))).toBe(10);
  });

  test('that a folder has damaged are named when they are copied', async () => {
    const shelf = await Shelf.open(temporaryFolder());
    const large = largeFile(100_000);
    await shelf.push([Buffer.from('small'), large]);
    const name = sha256Of(large);
    writeFileSync(join(shelf.directory, 'blobs', name.slice(0, 2), name), 'other bytes');
    await shelf.reopen('unused');
    const copied = await copyBlobs({
      directory: join(shelf.directory, 'blobs'),
      ...{ s3: s3Options(server), to: 's3', log: silentLog, onProgress: () => {} },
      signal: testContext().signal,
      run: (operation, input) => shelf.store.run(testContext(), operation, input),
    });
    expect(copied).toMatchObject({ blobs: 3, lostCount: 2 });
    expect(new Set(copied.lost)).toEqual(new Set([name, target.sha256]));
  });
});
