import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { S3Options } from '../../../src/store/blobs.js';
import { temporaryFolder, testContext } from '../../harness.js';
import { type Fault, FaultyProxy } from '../../s3/faulty-proxy.js';
import { type S3Server, s3Options, startS3 } from '../../s3/server.js';
import { Shelf, sha256Of } from './shelf.js';

let server: S3Server;
let proxy: FaultyProxy;
beforeAll(async () => {
  server = await startS3();
  proxy = await FaultyProxy.before(server.endpoint);
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});
beforeEach(() => {
  proxy.judge = () => 'none';
});

/** Long enough for a server beside busy loops; one silence costs as much. */
const timeoutMs = 3000;
const largeBytes = 8 * 2 ** 20 + 100_000;

const open = (wanted: Partial<S3Options> = {}) =>
  Shelf.open(temporaryFolder(), s3Options(proxy, { timeoutMs, maxRetries: 10, ...wanted }));

const isPack = ({ path }: { path: string }) => path.includes('/packs/');
const puts = (asked: { method: string; path: string }) => asked.method === 'PUT' && isPack(asked);
const gets = (asked: { method: string; path: string }) => asked.method === 'GET' && isPack(asked);

const some = ['one', 'two', 'three'].map((text) => Buffer.from(text));
const large = Buffer.alloc(largeBytes, 'some large file, ');
const largeName = sha256Of(large);
const ofLarge = ({ path }: { path: string }) => path.includes(largeName);

/** As an upload does it. */
const upload = (shelf: Shelf, ctx = testContext()) =>
  shelf.store.blobs.keep(
    ctx,
    { sha256: largeName, sizeBytes: largeBytes },
    [large],
    async () => {},
  );

async function readLarge(shelf: Shelf): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const wanted = { offset: 0, chunkBytes: 65_536 };
  for await (const chunk of shelf.store.blobs.read(testContext(), largeName, wanted)) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

describe('small blobs', () => {
  const whilePut: Fault[] = ['busy', 'cut', 'silent', 'unheard', 'nonsense', 'wrong bytes'];

  test('are kept whatever happens to their upload, and once', async () => {
    const shelf = await open();
    const kept: Buffer[] = [];
    for (const fault of whilePut) {
      const bytes = Buffer.from(`while ${fault}`);
      proxy.next(fault, 1, puts);
      expect(await shelf.push([bytes])).toBe(1);
      kept.push(bytes);
    }
    expect(shelf.store.blobs.about.failedRequests).toBeGreaterThanOrEqual(whilePut.length);
    await shelf.reopen();
    expect(await shelf.contents()).toEqual(kept.map(String));
  });

  test('come back whatever happens to an answer', async () => {
    const shelf = await open();
    await shelf.push(some);
    const faults: Fault[] = ['busy', 'cut', 'silent', 'stalls', 'torn', 'nonsense', 'wrong answer'];
    for (const fault of faults) {
      proxy.next(fault, 1, gets);
      expect([fault, await shelf.contents()]).toEqual([fault, some.map(String)]);
    }
  });

  test('are not acknowledged while the server is away, and are kept when it is back', async () => {
    const shelf = await open({ maxRetries: 1 });
    proxy.judge = () => 'busy';
    await expect(shelf.push(some)).rejects.toMatchObject({
      name: 'RetryExhaustedError',
      message: expect.stringContaining('SlowDown'),
    });
    await expect(shelf.store.blobs.has(testContext(), largeName)).rejects.toThrow('gave up');
    expect(shelf.query('SELECT * FROM blobs WHERE pack_id IS NOT NULL')).toEqual([]);
    proxy.judge = () => 'none';
    expect(await shelf.push(some)).toBe(3);
    expect(await shelf.contents()).toEqual(some.map(String));
  });

  test('that cannot be read now are not taken for lost', async () => {
    const shelf = await open({ maxRetries: 1 });
    await shelf.push(some);
    // Sizes of packs are not known from before.
    await shelf.reopen();
    proxy.judge = () => 'forbidden';
    await expect(shelf.contents()).rejects.toThrow('AccessDenied');
    proxy.judge = () => 'elsewhere';
    await expect(shelf.contents()).rejects.toThrow('gave up');
    await expect(shelf.push([...some, Buffer.from('new')])).rejects.toThrow('gave up');
    proxy.judge = () => 'none';
    expect(await shelf.contents()).toEqual(some.map(String));
  });

  test('whose caller has left hold nobody up', async () => {
    const shelf = await open();
    proxy.judge = (asked) => (puts(asked) ? 'silent' : 'none');
    const ctx = testContext(200);
    const batch = shelf.store.blobs.batch();
    await batch.add(ctx, { sha256: sha256Of(Buffer.from('a')), sizeBytes: 1 }, [Buffer.from('a')]);
    await expect(batch.settle(ctx)).rejects.toThrow('did not finish within 200 ms');
    batch.end();
    proxy.judge = () => 'none';
  });
});

describe('a large blob', () => {
  test('is kept and read whatever happens on the way', async () => {
    const shelf = await open();
    for (const fault of ['busy', 'cut', 'unheard', 'wrong bytes'] as const) {
      proxy.next(fault, 1, (asked) => ofLarge(asked) && asked.path.includes('partNumber=1'));
      await upload(shelf);
      expect(await shelf.store.blobs.has(testContext(), largeName)).toBe(true);
      await shelf.sweep(1);
    }
    for (const fault of ['busy', 'stalls', 'torn'] as const) {
      proxy.next(fault, 1, (asked) => ofLarge(asked) && asked.method === 'GET');
      expect((await readLarge(shelf)).equals(large)).toBe(true);
    }
    proxy.next('wrong answer', 1, (asked) => ofLarge(asked) && asked.method === 'GET');
    await expect(readLarge(shelf)).rejects.toThrow('do not have their SHA-256');
    expect((await readLarge(shelf)).equals(large)).toBe(true);
  });

  test('goes on behind its last part, and counts as kept though the end was not heard', async () => {
    const shelf = await open({ maxRetries: 1 });
    proxy.judge = (asked) => (asked.path.includes('partNumber=2') ? 'busy' : 'none');
    await expect(upload(shelf)).rejects.toThrow('gave up');
    expect(await shelf.store.blobs.has(testContext(), largeName)).toBe(false);
    const before = proxy.seen.length;
    proxy.next(
      'unheard',
      1,
      (asked) => asked.method === 'POST' && asked.path.includes('uploadId='),
    );
    await upload(shelf);
    const parts = proxy.seen.slice(before).filter((asked) => asked.includes('partNumber='));
    expect(parts.map((asked) => /partNumber=(\d)/.exec(asked)?.[1])).toEqual(['2']);
    expect((await readLarge(shelf)).equals(large)).toBe(true);
  });
});

describe('a master does not start', () => {
  const refusal = (wanted: Partial<S3Options>) =>
    open({ maxRetries: 0, timeoutMs: 15_000, ...wanted }).then(
      () => 'it started',
      (error: Error) => `${error.name}: ${error.message}`,
    );

  test('on a bucket that it cannot use, and says why', async () => {
    expect(await refusal({ url: 's3://no-such-bucket/a' })).toMatch(
      /^UserError: blobs.url: there is no bucket no-such-bucket at http:.* make it first/,
    );
    proxy.judge = () => 'forbidden';
    expect(await refusal({})).toMatch(/^UserError: blobs.url: .* lets these credentials not list/);
    proxy.judge = () => 'nonsense';
    expect(await refusal({})).toMatch(/^UserError: blobs.url: the bucket .* cannot be used: /);
    proxy.judge = () => 'busy';
    expect(await refusal({})).toMatch(/cannot be used: SlowDown/);
    expect(await refusal({ endpoint: 'http://127.0.0.1:1' })).toMatch(
      /cannot be used: .*ECONNREFUSED/,
    );
  });

  test("on another database's place, or without its own", async () => {
    const url = s3Options(server).url;
    const shelf = await open({ url });
    await shelf.push(some);
    expect(await refusal({ url })).toMatch(/has the blobs of another database, .* sweep away/);
    await shelf.store.close();
    const { directory } = shelf;
    await expect(Shelf.open(directory)).rejects.toThrow(`blobs of this database are in ${url}`);
    await expect(Shelf.open(directory, s3Options(server))).rejects.toThrow('has no blobs of this');
    const inFolder = await Shelf.open(temporaryFolder());
    await inFolder.push(some);
    await inFolder.store.close();
    await expect(Shelf.open(inFolder.directory, s3Options(server))).rejects.toThrow(
      'are in the data folder: copy them',
    );
  });
});
