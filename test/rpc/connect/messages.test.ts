import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { CallerGone } from '../../../src/rpc/connect/body.js';
import { Messages } from '../../../src/rpc/connect/messages.js';
import { Refusal } from '../../../src/rpc/connect/refusal.js';

const longest = 512 * 1024;
const bomb = gzipSync(Buffer.alloc(longest));
const mib = 1024 * 1024;

/** How each of so many messages ended that came at once, and the most bytes that were held. */
async function inflateAll(messages: Messages, count: number, gone: AbortSignal) {
  let mostHeld = 0;
  const ends = Array.from({ length: count }, async () => {
    const end = messages.inflated(bomb, gone).then(
      ({ length }) => length,
      (error: unknown) => error,
    );
    const ended = await end;
    mostHeld = Math.max(mostHeld, messages.heldBytes);
    return ended;
  });
  const all = await Promise.all(ends);
  return { whole: all.filter((one) => one === longest), refused: all.filter(isRefused), mostHeld };
}

const isRefused = (end: unknown): end is Refusal => end instanceof Refusal;

test('messages of open calls hold 64 MiB at most, and what is beyond is refused', async () => {
  const messages = new Messages(longest);
  const open = new AbortController();
  const { whole, refused, mostHeld } = await inflateAll(messages, 300, open.signal);
  expect([whole.length, refused.length, mostHeld]).toEqual([128, 172, 64 * mib]);
  for (const one of refused) {
    expect([one.httpStatus, one.headers]).toEqual([429, { 'retry-after': '1' }]);
  }
  expect(() => messages.hold(Buffer.alloc(1), open.signal)).toThrow('too many messages are held');
  open.abort();
  expect(messages.heldBytes).toBe(0);
  expect(await messages.inflated(bomb, new AbortController().signal)).toHaveLength(longest);
});

test('so many wait for their turn, and no more', async () => {
  const messages = new Messages(longest);
  const { refused } = await inflateAll(messages, 1100, new AbortController().signal);
  const texts = refused.map(({ message }) => message);
  expect(texts.filter((text) => text.startsWith('too many compressed'))).toHaveLength(98);
});

test('nothing is inflated or held for a caller who has gone', async () => {
  const messages = new Messages(longest);
  const open = new AbortController();
  const ends = [1, 2, 3].map(() => messages.inflated(bomb, open.signal).catch((error) => error));
  open.abort(new CallerGone());
  for (const end of await Promise.all(ends)) expect(end).toBeInstanceOf(CallerGone);
  expect(messages.heldBytes).toBe(0);
});
