import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LogTail } from '../../src/core/log-tail.js';
import { replaying } from '../property/replaying.js';

test('a reader who goes on from place to place gets what a log still has, without gaps or repeats', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 60 });
  fc.assert(
    fc.property(
      pieces,
      fc.integer({ min: 1, max: 50 }),
      fc.infiniteStream(fc.boolean()),
      (all, limit, reads) => {
        const tail = new LogTail(limit);
        let whole = Buffer.alloc(0);
        let place = 0;
        for (const piece of all) {
          tail.push(piece);
          whole = Buffer.concat([whole, piece]);
          if (!reads.next().value) continue;
          const { data, offset, nextOffset } = tail.read(place);
          expect(nextOffset).toBe(whole.length);
          expect(offset).toBe(Math.max(place, whole.length - limit));
          expect(data).toEqual(whole.subarray(offset));
          place = nextOffset;
        }
      },
    ),
    replaying(),
  );
});

test('a log is bounded, whether it grows byte by byte or at once', () => {
  const tail = new LogTail(1000);
  for (let i = 0; i < 100_000; i++) tail.push(Buffer.from('x'));
  tail.push(Buffer.alloc(10_000_000, 'y'));
  expect(tail.read(0)).toMatchObject({ offset: 10_099_000, nextOffset: 10_100_000 });
  expect(tail.read(0).data.length).toBe(1000);
  expect(tail.read(99_999_999)).toMatchObject({ offset: 10_100_000, data: Buffer.alloc(0) });
});
