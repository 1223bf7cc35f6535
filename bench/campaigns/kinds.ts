import { normal, type Random } from './chance.js';
import { type Engine, SimulatedTarget } from './target.js';

/** Kinds of campaigns that shares are tried on: their engines, and what each finds how fast. */

const usual = 1500;
/** Mean waiting times between 2 minutes and 1,000 hours, evenly in their logarithm. */
const usualRates = [-2.1, -6.6] as const;
const behindGate = 900;
const hourS = 3600;

interface EngineOf {
  readonly speed?: number;
  /** How much its luck with single features differs from that of the others. */
  readonly spread?: number;
  readonly overheadS?: number;
  readonly diesAfterS?: number;
  /** Features that it can find at all. */
  readonly reaches?: (feature: number) => boolean;
}

const ratesOf = (random: Random, count: number, [from, to]: readonly [number, number]) =>
  Array.from({ length: count }, () => 10 ** (from + (to - from) * random()));

function engineOf(random: Random, base: readonly number[], of: EngineOf = {}): Engine {
  const { speed = 1, spread = 1, overheadS = 15, diesAfterS = 0, reaches = () => true } = of;
  const rates = base.map((rate, feature) =>
    reaches(feature) ? rate * speed * Math.exp(spread * normal(random)) : 0,
  );
  return { overheadS, diesAfterS, rates };
}

const withoutGates = (base: readonly number[], engines: readonly Engine[]) =>
  new SimulatedTarget({ engines, gates: base.map(() => -1) });

/** Engines on one target of the usual size, without gates. */
function usualTarget(
  random: Random,
  engines: (base: readonly number[]) => readonly EngineOf[],
): SimulatedTarget {
  const base = ratesOf(random, usual, usualRates);
  return withoutGates(
    base,
    engines(base).map((one) => engineOf(random, base, one)),
  );
}

const six = [0, 1, 2, 3, 4, 5];

/** 3 to 9 engines with reach, speed, loading and crashes of their own; a third waits behind gates. */
function randomTarget(random: Random): SimulatedTarget {
  const base = ratesOf(random, 600 + Math.floor(random() * 1200), usualRates);
  const gates = base.map((_, feature) =>
    feature < 8 || random() > 0.35 ? -1 : Math.floor(random() * 8),
  );
  const engines = Array.from({ length: 3 + Math.floor(random() * 7) }, () => {
    const part = 0.1 + 0.9 * random();
    const reached = base.map(() => random() < part);
    return engineOf(random, base, {
      speed: Math.exp(1.2 * normal(random)),
      spread: 1.2 * random(),
      overheadS: 5 + (random() < 0.25 ? 240 * random() : 10),
      diesAfterS: random() < 0.2 ? 10 + 200 * random() : 0,
      reaches: (feature) => reached[feature] === true,
    });
  });
  return new SimulatedTarget({ engines, gates });
}

/** Each of four engines is strong where features of one rarity are left. */
function changingLead(random: Random): SimulatedTarget {
  const base = ratesOf(random, usual, usualRates);
  const ends = [1, 1e-3, 1e-4, 1e-5, 0];
  const strong = [0, 1, 2, 3].map((at): Engine => {
    const [high = 1, low = 0] = ends.slice(at, at + 2);
    const rates = base.map(
      (rate) => rate * (rate <= high && rate > low ? 6 : 0.3) * Math.exp(0.5 * normal(random)),
    );
    return { overheadS: 15, diesAfterS: 0, rates };
  });
  const others = [0, 1].map(() => engineOf(random, base, { speed: 0.5 }));
  return withoutGates(base, [...strong, ...others]);
}

/** A slow engine alone passes a gate, after 20 CPU hours on average; two fifths lie behind it. */
function lateBreakthrough(random: Random): SimulatedTarget {
  const base = ratesOf(random, usual, usualRates);
  const gates = base.map((_, feature) => (feature >= behindGate ? 0 : -1));
  const others = [2, 1, 1, 1, 1].map((speed) =>
    engineOf(random, base, { speed, spread: 0.5, reaches: (feature) => feature !== 0 }),
  );
  const slow = engineOf(random, base, {
    ...{ speed: 0.25, spread: 0.5, reaches: (feature: number) => feature % 2 === 0 },
  });
  const rates = [1 / (20 * hourS), ...slow.rates.slice(1)];
  return new SimulatedTarget({ engines: [...others, { ...slow, rates }], gates });
}

export interface Kind {
  readonly name: string;
  readonly targetOf: (random: Random) => SimulatedTarget;
  /** Campaigns of it differ so much that it takes three times as many. */
  readonly isVaried?: boolean;
  /** More features than this were found: the gate was passed. */
  readonly passedAbove?: number;
}

export const kinds: readonly Kind[] = [
  { name: 'random', targetOf: randomTarget, isVaried: true },
  {
    name: 'one engine 4 times faster',
    targetOf: (random) =>
      usualTarget(random, () => [4, 1, 1, 1, 1, 1].map((speed) => ({ speed, spread: 0.5 }))),
  },
  {
    name: 'fast and flat, slow and steady, useless',
    targetOf: (random) =>
      usualTarget(random, (base) => {
        const easy = (feature: number) => (base[feature] ?? 0) > 1e-4;
        const useless = { speed: 0.2, reaches: (feature: number) => feature % 50 === 0 };
        return [
          { speed: 10, reaches: easy, spread: 0.3 },
          { speed: 8, reaches: easy, spread: 0.3 },
          { speed: 1.5, spread: 0.3 },
          { speed: 0.3, spread: 0.3 },
          ...[useless, useless, useless],
        ];
      }),
  },
  { name: 'the lead changes hands', targetOf: changingLead },
  {
    name: 'crashing and slow to start',
    targetOf: (random) =>
      usualTarget(random, () => [
        {},
        { speed: 2, overheadS: 205 },
        { speed: 1.5, diesAfterS: 20 },
        { diesAfterS: 60 },
        { speed: 0.8 },
        { reaches: () => false, diesAfterS: 1 },
        { reaches: () => false },
        { speed: 0.5, overheadS: 305 },
      ]),
  },
  {
    name: 'nearly saturated',
    targetOf: (random) => {
      const base = ratesOf(random, 60, [-4.5, -7]);
      const speeds = [3, 1, 1, 1, 0.3, 0.3];
      return withoutGates(
        base,
        speeds.map((speed) => engineOf(random, base, { speed })),
      );
    },
  },
  {
    name: 'all alike',
    targetOf: (random) => usualTarget(random, () => six.map(() => ({ spread: 0.2 }))),
  },
  {
    name: 'each finds what others do not',
    targetOf: (random) =>
      usualTarget(random, () =>
        six.map((at) => ({ reaches: (feature) => feature % 10 < 4 || feature % 10 === 4 + at })),
      ),
  },
  {
    name: 'late breakthrough of a slow one',
    targetOf: lateBreakthrough,
    isVaried: true,
    passedAbove: behindGate + 50,
  },
];
