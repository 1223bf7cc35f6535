import { describe, expect, test } from '@jest/globals';
import { plain, plainJson, plainLines } from '../../src/core/unseen.js';

const marks = [
  '\u007f',
  '\u0085',
  '\u009b',
  '\u061c',
  '\u200b',
  '\u200d',
  '\u202e',
  '\u2060',
  '\u2066',
];
const further = ['\u00ad', '\ufeff', '\u{e0041}', '\u3164', '\u2028'];

describe.each([...marks, ...further])('the mark %j', (mark) => {
  test('is replaced in text, and an escape of the same value in JSON', () => {
    expect(plain(`a${mark}b`)).toBe('a\u{fffd}b');
    const json = JSON.stringify({ [mark]: `a${mark}b` }, null, 2);
    expect(plainJson(json)).toMatch(/^[\n -~]+$/);
    expect(JSON.parse(plainJson(json))).toEqual({ [mark]: `a${mark}b` });
  });
});

test('C0 is replaced in text; tabs and ends of lines stay in text of several lines', () => {
  expect(plain('\u001b[2J\r\n\t')).toBe('\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}');
  expect(plainLines('a\tb\r\nc\u001b')).toBe('a\tb\nc\u{fffd}');
});

test('letters of any script stay as they are', () => {
  const words = 'naïve Ünïcode 日本語 العربية हिन्दी 🐼';
  expect(plain(words)).toBe(words);
  expect(plainJson(JSON.stringify(words))).toBe(JSON.stringify(words));
});
