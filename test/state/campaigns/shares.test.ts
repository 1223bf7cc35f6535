import { describe, expect, test } from '@jest/globals';
import { ArmTurns } from '../../../src/state/campaigns/arm-turns.js';
import { type ShareFigures, sharesOf } from '../../../src/state/campaigns/shares.js';
import { fadedTo, keptOf, rewardOf } from '../../../src/store/campaign-sums.js';
import { given } from '../../steps.js';

const runMs = 600_000;
const none = { found: 0, hits: 0, ms: 0, runs: 0, stampMs: 0 };

const armOf = (build: string, rest: Partial<ShareFigures> = {}): ShareFigures => ({
  ...{ build, recent: none, runMs, trialLeft: 0, pinnedPercent: 0, held: '' },
  ...rest,
});

/** A campaign whose runs are dealt by the product's own shares and turns, one at a time. */
class Deal {
  readonly #turns = new ArmTurns();
  readonly ms = new Map<string, number>();
  /** Builds, in the order of their runs. */
  readonly order: string[] = [];
  billedMs = 0;

  constructor(
    public arms: ShareFigures[],
    private readonly isEven = false,
  ) {}

  shares = () => sharesOf(this.arms, { billedMs: this.billedMs, isEven: this.isEven });
  shareOf = (build: string): number => given(this.shares().get(build)).share;

  /** One run; `finds` tells whether it found something. */
  run(finds: (build: string, number: number) => boolean, costOf = (_build: string) => runMs): void {
    const told = [...this.shares()].map(([build, { share }]) => [build, share] as const);
    const shares = new Map(told.filter(([, share]) => share > 0));
    const all = this.arms.map(({ build }) => build);
    const build = given(this.#turns.take(shares, all, () => runMs));
    const costMs = costOf(build);
    this.#turns.charge(build, costMs - runMs, shares);
    this.billedMs += costMs;
    const found = finds(build, this.order.push(build));
    const builds = this.arms.length;
    this.ms.set(build, (this.ms.get(build) ?? 0) + costMs);
    this.arms = this.arms.map((arm) => {
      if (arm.build !== build) return arm;
      const faded = fadedTo(arm.recent, this.billedMs, { runMs, builds });
      const reward = rewardOf({ found, groups: 0 });
      const recent = { ...faded, found: faded.found + reward, ms: faded.ms + costMs };
      return { ...arm, recent, trialLeft: Math.max(arm.trialLeft - 1, 0) };
    });
  }
}

/** Numbers that look random and are the same each time. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Finds of each build in so many of its runs, at even distances. */
function evenly(rates: Readonly<Record<string, number>>): (build: string) => boolean {
  const due = new Map<string, number>();
  return (build) => {
    const sum = (due.get(build) ?? 0) + (rates[build] ?? 0);
    due.set(build, sum % 1);
    return sum >= 1;
  };
}

describe('shares by return', () => {
  test('let a build that finds four times as often lead after 30 runs', () => {
    const deal = new Deal(['slow', 'fast', 'other'].map((build) => armOf(build)));
    const finds = evenly({ slow: 0.2, fast: 0.8, other: 0.2 });
    for (let i = 0; i < 30; i++) deal.run(finds);
    expect(deal.shareOf('fast')).toBeGreaterThan(0.5);
    expect(deal.shares().get('fast')?.reason).toMatch(
      /^\d\.\d finds in its last \d\.\d CPU hours, 1\.\d times the average here$/,
    );
  });

  test('are even where nobody finds anything', () => {
    const deal = new Deal(['a', 'b', 'c'].map((build) => armOf(build)));
    for (let i = 0; i < 60; i++) deal.run((_, number) => number === 1);
    for (let i = 0; i < 300; i++) deal.run(() => false);
    for (const { share } of deal.shares().values())
      expect(Math.abs(share - 1 / 3)).toBeLessThan(0.01);
    expect(deal.shares().get('a')?.reason).toMatch(/^nothing new in its last \d+(\.\d)? CPU hours/);
  });

  test('give each build its half of an even share, and a turn soon, whatever they find', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = sequence(seed);
      const count = 2 + Math.floor(random() * 6);
      const builds = Array.from({ length: count }, (_, index) => `b${index}`);
      const luck = new Map(builds.map((build) => [build, random() ** 3]));
      const deal = new Deal(builds.map((build) => armOf(build)));
      for (let i = 0; i < 40 * count; i++) deal.run((build) => random() < given(luck.get(build)));
      const sum = [...deal.shares().values()].reduce((total, { share }) => total + share, 0);
      expect(sum).toBeCloseTo(1, 9);
      for (const build of builds) {
        const part = given(deal.ms.get(build)) / deal.billedMs;
        const at = [0, ...deal.order.flatMap((one, i) => (one === build ? [i + 1] : []))];
        const waits = at.map((run, i) => (at[i + 1] ?? deal.order.length + 1) - run - 1);
        expect({ seed, build, isFair: part >= 0.5 / count - 1 / deal.order.length }).toEqual({
          ...{ seed, build, isFair: true },
        });
        expect(Math.max(...waits)).toBeLessThanOrEqual(4 * count);
      }
    }
  });

  test('let a leader that goes flat down to an even share when the effort has doubled', () => {
    const deal = new Deal(['leader', 'b', 'c', 'd'].map((build) => armOf(build)));
    const before = evenly({ leader: 1, b: 0.1, c: 0.1, d: 0.1 });
    for (let i = 0; i < 200; i++) deal.run(before);
    expect(deal.shareOf('leader')).toBeGreaterThan(0.6);
    const after = evenly({ leader: 0, b: 0.1, c: 0.1, d: 0.1 });
    for (let i = 0; i < 200; i++) deal.run(after);
    expect(deal.shareOf('leader')).toBeLessThan(0.25 + 0.03);
  });

  test('raise that of a build at its floor with the result of a burst', () => {
    const deal = new Deal(['leader', 'b', 'c', 'd'].map((build) => armOf(build)));
    const before = evenly({ leader: 1, b: 0, c: 0, d: 0 });
    for (let i = 0; i < 200; i++) deal.run(before);
    const atFloor = deal.shareOf('b');
    expect(atFloor).toBeLessThan(0.15);
    const runs = deal.order.length;
    while (deal.order.lastIndexOf('b') < runs) deal.run((build) => build === 'b');
    expect(deal.shareOf('b')).toBeGreaterThan(atFloor);
    for (let i = 0; i < 100; i++) deal.run((build) => build === 'b');
    expect(deal.shareOf('b')).toBeGreaterThan(0.25);
  });

  test('give a new build an even share at least for four runs', () => {
    const rich = { found: 20, hits: 20, ms: 20 * runMs, runs: 20, stampMs: 0 };
    const arms = [armOf('rich', { recent: rich }), armOf('new', { trialLeft: 4 })];
    expect(sharesOf(arms, { billedMs: 0, isEven: false }).get('new')).toEqual({
      share: 0.5,
      reason: 'trial of a new build, run 1 of 4',
    });
    const deal = new Deal(arms);
    for (let i = 0; i < 8; i++) deal.run((build) => build === 'rich');
    expect(deal.order.filter((build) => build === 'new')).toHaveLength(4);
    expect(deal.shareOf('new')).toBeLessThan(0.4);
  });

  test('deal CPU time and not runs: one that dies early is given more of them', () => {
    const deal = new Deal(
      ['short', 'long'].map((build) => armOf(build)),
      true,
    );
    const costOf = (build: string) => (build === 'short' ? runMs / 10 : runMs);
    for (let i = 0; i < 220; i++) deal.run(() => false, costOf);
    const parts = [...deal.ms.values()].map((ms) => ms / deal.billedMs);
    for (const part of parts) expect(Math.abs(part - 0.5)).toBeLessThan(0.02);
  });
});

describe('pins, even shares and holds', () => {
  const found = { found: 9, hits: 9, ms: 9 * runMs, runs: 9, stampMs: 0 };
  const read = (arms: ShareFigures[], isEven = false) =>
    [...sharesOf(arms, { billedMs: 0, isEven })].map(([build, { share }]) => [
      build,
      Math.round(share * 1000) / 1000,
    ]);

  test('a pin holds whatever is found, and the others share the rest', () => {
    const arms = [armOf('a', { pinnedPercent: 40 }), armOf('b', { recent: found }), armOf('c')];
    const shares = new Map(read(arms) as [string, number][]);
    expect(shares.get('a')).toBe(0.4);
    expect(given(shares.get('b'))).toBeGreaterThan(given(shares.get('c')));
    expect(given(shares.get('b')) + given(shares.get('c'))).toBeCloseTo(0.6, 2);
    expect(read(arms, true)).toEqual([
      ['a', 0.4],
      ['b', 0.3],
      ['c', 0.3],
    ]);
  });

  test('pins of all builds divide all of the time', () => {
    const arms = [armOf('a', { pinnedPercent: 10 }), armOf('b', { pinnedPercent: 30 })];
    expect(read(arms)).toEqual([
      ['a', 0.25],
      ['b', 0.75],
    ]);
  });

  test('a build that is held leaves its part to the others', () => {
    const arms = [armOf('a', { held: 'held: it dies' }), armOf('b'), armOf('c')];
    expect(read(arms)).toEqual([
      ['a', 0],
      ['b', 0.5],
      ['c', 0.5],
    ]);
  });
});

describe('sums that fade', () => {
  test('fade in one step as in many', () => {
    const of = { runMs, builds: 3 };
    let stepwise = { found: 5, hits: 5, ms: 5 * runMs, runs: 5, stampMs: 1000 };
    const once = fadedTo(stepwise, 50 * runMs, of);
    for (let ms = 1000; ms <= 50 * runMs; ms += 77_777) stepwise = fadedTo(stepwise, ms, of);
    stepwise = fadedTo(stepwise, 50 * runMs, of);
    expect(Math.abs(stepwise.found - once.found)).toBeLessThan(1e-9);
    expect(Math.abs(stepwise.ms / once.ms - 1)).toBeLessThan(1e-9);
    expect(keptOf({ fromMs: 5000, toMs: 5000 }, of)).toBe(1);
  });
});
