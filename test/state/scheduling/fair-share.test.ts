import { describe, expect, test } from '@jest/globals';
import { randomFrom } from '../../../bench/campaigns/chance.js';
import { FairShare } from '../../../src/state/scheduling/fair-share.js';

interface Fuzzer {
  readonly key: string;
  readonly weight: number;
  readonly plannedS: number;
  /** What a run takes, as a draw between 0 and 1 says. */
  readonly takes: (draw: number) => number;
}

/** CPU seconds of campaigns that always have work, on so many slots for so long. */
function cpuOf(fuzzers: readonly Fuzzer[], { slots = 4, untilS = 100_000, seed = 1 } = {}) {
  const random = randomFrom(seed);
  const fairShare = new FairShare(() => 0);
  for (const { key, weight } of fuzzers) fairShare.set(key, { weight, maxParallel: 0 });
  const used = new Map(fuzzers.map(({ key }) => [key, 0]));
  const running: { fuzzer: Fuzzer; takesS: number; end: number }[] = [];
  for (let now = 0; now < untilS; ) {
    while (running.length < slots) {
      const [first, ...others] = fuzzers as [Fuzzer, ...Fuzzer[]];
      const clock = ({ key }: Fuzzer) => fairShare.clockOf(key);
      const next = others.reduce((best, one) => (clock(one) < clock(best) ? one : best), first);
      fairShare.took(next.key, next.plannedS);
      const takesS = next.takes(random());
      running.push({ fuzzer: next, takesS, end: now + takesS });
    }
    running.sort((a, b) => a.end - b.end);
    const ended = running.shift();
    if (!ended) break;
    const { fuzzer, takesS, end } = ended;
    now = end;
    used.set(fuzzer.key, (used.get(fuzzer.key) ?? 0) + takesS);
    fairShare.corrected(fuzzer.key, takesS - fuzzer.plannedS);
  }
  return used;
}

const exactly = (key: string, weight: number, plannedS: number): Fuzzer => ({
  ...{ key, weight, plannedS, takes: () => plannedS },
});

describe('CPU time between campaigns', () => {
  test.each([1, 2, 4, 7, 32])('is even for runs of 1 and of 10 minutes on %i slots', (slots) => {
    const used = cpuOf([exactly('short', 1, 60), exactly('long', 1, 600)], { slots });
    const [short = 0, long = 0] = used.values();
    expect(short / (short + long)).toBeGreaterThan(0.48);
    expect(short / (short + long)).toBeLessThan(0.52);
  });

  test.each([
    [20, 600],
    [600, 20],
  ])('is 3 to 1 by weight for runs of %i and %i seconds, within a run', (heavy, light) => {
    const used = cpuOf([exactly('heavy', 3, heavy), exactly('light', 1, light)]);
    const [of3 = 0, of1 = 0] = used.values();
    expect(Math.abs(of3 - 3 * of1)).toBeLessThanOrEqual(3 * 600 * 4);
    expect(of3 / of1).toBeCloseTo(3, 1);
  });

  test('goes by weight whatever runs were planned for and take', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = randomFrom(seed);
      const fuzzers = Array.from({ length: 2 + Math.floor(random() * 6) }, (_, index): Fuzzer => {
        const plannedS = 60 + Math.floor(random() * 1200);
        // Some die early, some load for long, most take what was planned.
        const [dies, loads] = [random() < 0.4, random() < 0.4];
        return {
          ...{ key: `c${index}`, weight: 1 + Math.floor(random() * 9), plannedS },
          takes: (draw) => (dies ? plannedS * (0.05 + 0.3 * draw) : plannedS * (loads ? 1.5 : 1)),
        };
      });
      const slots = 1 + Math.floor(random() * 16);
      const used = cpuOf(fuzzers, { slots, untilS: 150_000, seed });
      const all = [...used.values()].reduce((sum, one) => sum + one, 0);
      const weights = fuzzers.reduce((sum, { weight }) => sum + weight, 0);
      for (const { key, weight } of fuzzers) {
        const off = (used.get(key) ?? 0) / all - weight / weights;
        expect({ seed, key, isFair: Math.abs(off) < 0.03 }).toEqual({ seed, key, isFair: true });
      }
    }
  });
});

test('a campaign that was away has neither credit nor debt of before', () => {
  const fairShare = new FairShare(() => 0);
  fairShare.took('a', 600);
  fairShare.corrected('a', -599);
  for (let i = 0; i < 100; i++) fairShare.took('b', 600);
  fairShare.took('a', 600);
  expect(fairShare.clockOf('a')).toBe(fairShare.clockOf('b'));
});

test('what is given back is as if it had not been taken', () => {
  const fairShare = new FairShare(() => 0);
  fairShare.set('a', { weight: 2, maxParallel: 0 });
  fairShare.took('a', 600);
  fairShare.corrected('a', -100);
  const charged = fairShare.took('a', 600);
  expect(fairShare.clockOf('a')).toBe(550);
  fairShare.gaveBack('a', charged, 600);
  expect(fairShare.clockOf('a')).toBe(300);
  fairShare.took('a', 600);
  expect(fairShare.clockOf('a')).toBe(550);
});
