import { expect, test } from '@jest/globals';
import { botsToSend } from '../../../src/state/cluster/spreading.js';

test('a master that joins is given its share by the others, a few at a time, and none goes back', () => {
  const online = [1000, 1000, 0];
  let looks = 0;
  for (let moved = 1; moved > 0; looks++) {
    moved = 0;
    const total = online.reduce((sum, bots) => sum + bots, 0);
    for (const [index, own] of online.entries()) {
      const away = botsToSend(own, total, online.length);
      expect(away).toBeLessThanOrEqual(10);
      online[index] = own - away;
      // To whom is chance: the worst is that all go to one.
      online[2] = (online[2] ?? 0) + away;
      moved += away;
    }
  }
  expect(looks).toBeLessThan(100);
  expect(Math.max(...online)).toBeLessThanOrEqual(Math.ceil((2000 / 3) * 1.1) + 1);
  expect(botsToSend(10, 10, 1)).toBe(0);
});
