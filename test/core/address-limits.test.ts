import { expect, test } from '@jest/globals';
import { AddressLimits } from '../../src/core/address-limits.js';
import { VirtualClock } from '../virtual-clock.js';

const twice = { atOnce: 2, perSecond: 1 };
const count = (limits: AddressLimits, address: string, times: number) =>
  Array.from({ length: times }, () => limits.take(address)).filter(Boolean).length;

test('each address has a limit of its own, which comes back with time', () => {
  const clock = new VirtualClock();
  const limits = new AddressLimits(twice, clock);
  expect(count(limits, '192.0.2.1', 5)).toBe(2);
  expect(count(limits, '192.0.2.2', 5)).toBe(2);
  clock.advance(1000);
  expect(count(limits, '192.0.2.1', 5)).toBe(1);
});

test.each([
  ['192.0.2.1', '::ffff:192.0.2.1'],
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
  ['2001:db8::1', '2001:db8:0:0:1::'],
])('%s and %s have one limit', (one, other) => {
  const limits = new AddressLimits(twice, new VirtualClock());
  expect(count(limits, one, 2) + count(limits, other, 2)).toBe(2);
});

test('the table does not grow with the addresses', () => {
  const limits = new AddressLimits(twice, new VirtualClock());
  expect(count(limits, '192.0.2.1', 5)).toBe(2);
  for (let i = 0; i < 5000; i++) limits.take(`10.0.${i >> 8}.${i & 255}`);
  // The first one has gone, and begins anew.
  expect(count(limits, '192.0.2.1', 5)).toBe(2);
});
