import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { UnfinishedUploads, usualUnfinished } from '../../src/store/unfinished.js';
import { temporaryFolder, testContext } from '../harness.js';
import { VirtualClock } from '../virtual-clock.js';

const bytes = randomBytes(10_000);
const sha256 = createHash('sha256').update(bytes).digest('hex');
const file = { sha256, sizeBytes: bytes.length, uploadId: 'one' };

async function uploads(limits = {}, folder = temporaryFolder()) {
  const clock = new VirtualClock();
  const options = { folder, limits: { ...usualUnfinished, ...limits }, clock };
  return { clock, folder, unfinished: await UnfinishedUploads.open(options) };
}

async function* pieces(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

/** Sends a part, and breaks off as a connection does. */
const broken = (unfinished: UnfinishedUploads, to: number, offsetBytes = 0) =>
  unfinished
    .receive(testContext(), { ...file, offsetBytes }, pieces(bytes.subarray(offsetBytes, to)))
    .catch((error: Error) => error.message);

describe('an upload that breaks off', () => {
  test('goes on where it was, after a restart too', async () => {
    const { unfinished, folder } = await uploads();
    expect(await broken(unfinished, 4000)).toMatch(/but only 4000 arrived/);
    expect(unfinished.received(sha256, 'another')).toBe(4000);
    const { unfinished: later } = await uploads({}, folder);
    expect(later.received(sha256, '')).toBe(4000);
    const rest = pieces(bytes.subarray(4000, 5000), bytes.subarray(5000));
    const path = await later.receive(testContext(), { ...file, offsetBytes: 4000 }, rest);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    await later.forget(sha256);
    expect(existsSync(path)).toBe(false);
  });

  test('may begin anew, and may not begin beyond its end', async () => {
    const { unfinished } = await uploads();
    await broken(unfinished, 4000);
    const beyond = { ...file, offsetBytes: 4001 };
    const sent = unfinished.receive(testContext(), beyond, pieces(bytes));
    await expect(sent).rejects.toThrow('this upload goes on at 4000 bytes');
    const path = await unfinished.receive(
      testContext(),
      { ...file, offsetBytes: 0 },
      pieces(bytes),
    );
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test('with other bytes than announced is forgotten', async () => {
    const { unfinished, folder } = await uploads();
    await broken(unfinished, 4000);
    writeFileSync(join(folder, sha256), randomBytes(4000));
    const rest = { ...file, offsetBytes: 4000 };
    const sent = unfinished.receive(testContext(), rest, pieces(bytes.subarray(4000)));
    await expect(sent).rejects.toThrow(/do not have the announced SHA-256/);
    expect(unfinished.received(sha256, 'one')).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('of two senders of a file', () => {
  test('the second try of one takes over at once, another one only when it is idle', async () => {
    const { unfinished, clock } = await uploads();
    const held = Promise.withResolvers<void>();
    const first = unfinished.receive(
      testContext(),
      { ...file, offsetBytes: 0 },
      (async function* () {
        yield bytes.subarray(0, 1000);
        await held.promise;
      })(),
    );
    first.catch(() => {});
    while (unfinished.received(sha256, 'one') < 1000) await new Promise(setImmediate);
    expect(unfinished.isTaken(sha256, 'two')).toBe(true);
    expect(unfinished.received(sha256, 'two')).toBe(0);
    clock.advance(5000);
    expect(unfinished.received(sha256, 'two')).toBe(1000);
    const rest = { ...file, uploadId: 'two', offsetBytes: 1000 };
    const path = await unfinished.receive(testContext(), rest, pieces(bytes.subarray(1000)));
    await expect(first).rejects.toThrow('another try of this upload took over');
    expect(readFileSync(path).equals(bytes)).toBe(true);
    held.resolve();
  });
});

describe('what is kept', () => {
  const other = { ...file, sha256: 'b'.repeat(64) };
  const begin = (unfinished: UnfinishedUploads, upload = file) =>
    unfinished
      .receive(testContext(), { ...upload, offsetBytes: 0 }, pieces(bytes.subarray(0, 4000)))
      .catch(() => {});

  test.each([[{ bytes: 7000 }], [{ count: 1 }]])(
    'has a bound: %j; the oldest goes',
    async (limits) => {
      const { unfinished, clock, folder } = await uploads(limits);
      await begin(unfinished);
      clock.advance(1000);
      await begin(unfinished, other);
      expect(readdirSync(folder)).toEqual([other.sha256]);
    },
  );

  test('goes by its age', async () => {
    const { unfinished, clock, folder } = await uploads();
    await begin(unfinished);
    clock.advance(usualUnfinished.ageMs + 1);
    await unfinished.sweep();
    expect(readdirSync(folder)).toEqual([]);
  });
});
