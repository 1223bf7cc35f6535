import { describe, expect, test } from '@jest/globals';
import { ago, bytes, clockTime, count, duration, plain } from '../../src/operator/format.js';
import { table } from '../../src/operator/table.js';

describe('figures', () => {
  test.each([
    [0, '0 s'],
    [90_000, '90 s'],
    [180_000, '3 min'],
    [3 * 3_600_000, '3 h'],
    [5 * 86_400_000, '5 d'],
    [-5, '0 s'],
  ])('%d ms is "%s"', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [3 * 2 ** 30, '3.0 GiB'],
  ])('%d bytes are "%s"', (size, text) => {
    expect(bytes(size)).toBe(text);
  });

  test.each([
    [999, '999'],
    [12_345, '12.3k'],
    [4_500_000, '4.5M'],
  ])('%d is "%s"', (value, text) => {
    expect(count(value)).toBe(text);
  });

  test('times are told by the day, and what has not come is a dash', () => {
    const noon = new Date(2026, 0, 2, 12, 0, 0);
    expect(clockTime(noon, noon.getTime())).toBe('12:00:00');
    expect(clockTime(noon, noon.getTime() + 86_400_000)).toBe('2026-01-02 12:00:00');
    expect(ago(noon, noon.getTime() + 5000)).toBe('5 s ago');
    expect([ago(undefined, 0), clockTime(undefined, 0)]).toEqual(['-', '-']);
  });
});

describe('a table', () => {
  test('has no borders, aligns figures to the right, and lets no text play with the terminal', () => {
    const rows = [
      ['a\u001b[31mb', '5'],
      ['c', '1000'],
    ];
    expect(table(['name', { right: 'count' }], rows)).toBe(
      'name     count\na�[31mb      5\nc         1000',
    );
  });

  test('shows what cannot be shown as a mark', () => {
    expect(plain('a\nb\u202ec')).toBe('a�b�c');
  });
});
