import { expect, test } from '@jest/globals';
import { judge } from '../../bench/soak/flat.js';

const bound = { name: 'memory', unit: 'MiB', share: 0.1, least: 2 };
const of = (count: number, value: (at: number) => number) =>
  Array.from({ length: count }, (_, at) => value(at));
/** Up and down, with no direction. */
const noise = (at: number) => (at % 3) - 1;

test.each([
  ['stays as it is', of(30, () => 100)],
  ['goes up and down', of(30, (at) => 100 + 5 * noise(at))],
  ['grows only while all begins', of(30, (at) => Math.min(100, 40 + 8 * at) + noise(at))],
  ['shrinks', of(30, (at) => 200 - at)],
  ['is small, and moves by little', of(30, (at) => 3 + (at % 2))],
])('what %s is flat', (_, samples) => {
  expect(judge(bound, samples).isFlat).toBe(true);
});

test.each([
  ['a little with each sample', of(30, (at) => 100 + at + 5 * noise(at))],
  ['from nothing', of(30, (at) => at)],
  ['in steps', of(30, (at) => 100 + 10 * Math.floor(at / 6))],
])('what grows %s is found', (_, samples) => {
  expect(judge(bound, samples).isFlat).toBe(false);
});

test('too few samples judge nothing', () => {
  expect(() => judge(bound, [1, 2, 3])).toThrow('3 samples of memory are too few');
});
