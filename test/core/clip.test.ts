import { describe, expect, test } from '@jest/globals';
import { clipUtf8 } from '../../src/core/clip.js';

describe('clipUtf8', () => {
  test.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'abc'],
    ['aü', 2, 'a'],
    ['aü', 3, 'aü'],
    ['😀😀', 7, '😀'],
    ['', 0, ''],
  ])('%j in %i bytes is %j', (text, maxBytes, clipped) => {
    expect(clipUtf8(text, maxBytes)).toBe(clipped);
  });

  test('mends a lone surrogate rather than pass it on, and stays within the limit', () => {
    const clipped = clipUtf8('\ud800'.repeat(10), 10);
    expect(clipped.isWellFormed()).toBe(true);
    expect(Buffer.byteLength(clipped)).toBeLessThanOrEqual(10);
  });
});
