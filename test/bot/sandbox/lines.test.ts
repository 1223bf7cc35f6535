import { describe, expect, test } from '@jest/globals';
import { LineSplitter } from '../../../src/bot/sandbox/lines.js';
import { clipUtf8 } from '../../../src/core/clip.js';

describe('LineSplitter', () => {
  test('finds the same lines however the bytes are cut', () => {
    const text = Buffer.from('one\n\ntwo ü\nthree');
    for (let size = 1; size <= text.length; size++) {
      const lines: string[] = [];
      const splitter = new LineSplitter((line) => lines.push(line));
      for (let at = 0; at < text.length; at += size) splitter.push(text.subarray(at, at + size));
      splitter.end();
      expect(lines).toEqual(['one', '', 'two ü', 'three']);
    }
  });
});

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
