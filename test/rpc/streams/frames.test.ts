import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Frames } from '../../../src/rpc/streams/frames.js';
import { replaying } from '../../property/replaying.js';
import { framed } from '../../wire/raw-client.js';

const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
const cuts = fc.array(fc.nat({ max: 60 }), { maxLength: 40 });

test('what went in comes out, wherever it was cut', () => {
  fc.assert(
    fc.property(messages, cuts, (said, lengths) => {
      const bytes = Buffer.concat(said.map((message) => framed(message)));
      const frames = new Frames(40);
      const heard: Buffer[] = [];
      const take = (from: number, to?: number) => {
        frames.add(bytes.subarray(from, to));
        for (let next = frames.next(); next; next = frames.next()) heard.push(next);
      };
      let at = 0;
      for (const length of lengths) {
        take(at, at + length);
        at += length;
      }
      take(at);
      expect(heard).toEqual(said.map((message) => Buffer.from(message)));
    }),
    replaying(),
  );
});

test('a message that came whole is a view, not a copy', () => {
  const bytes = framed(Buffer.from('as it came'));
  const frames = new Frames(100);
  frames.add(bytes);
  const message = frames.next() as Buffer;
  expect(message.buffer).toBe(bytes.buffer);
  expect(message.toString()).toBe('as it came');
});

test('one that is too long is refused by its prefix alone', () => {
  const frames = new Frames(100);
  frames.add(framed(Buffer.alloc(101)).subarray(0, 5));
  expect(() => frames.next()).toThrow('a message of 101 bytes: 100 are taken at most');
});
