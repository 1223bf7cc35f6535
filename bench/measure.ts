import type { Percentiles } from './latencies.js';
import type { Vitals } from './vitals.js';

/** Taking figures: always beside the limit they are compared with, in the same run. */

/** One line of the report. */
export interface Figure {
  readonly name: string;
  /** Median over the rounds. */
  readonly value: number;
  /** Smallest and largest of the rounds. */
  readonly spread: readonly [number, number];
  /** What is measured, and in what unit, e.g. "ratio", "ms". */
  readonly unit: string;
  /** Absent where the figure is there to be known, and not to be held. */
  readonly target?: Target;
  /** What went into it, for the reader: absolute figures, numbers of rows. */
  readonly detail: string;
  /** Where it is taken from many times: more of them, for the results file. */
  readonly percentiles?: Percentiles;
  /** What a ratio was made of and the like, by name, for the results file. */
  readonly absolute?: Readonly<Record<string, number>>;
  /** How the master was meanwhile. */
  readonly vitals?: Vitals;
}

export interface Target {
  readonly is: '>=' | '<=' | '<';
  readonly bound: number;
}

export const isMet = (value: number, { is, bound }: Target): boolean =>
  is === '>=' ? value >= bound : is === '<=' ? value <= bound : value < bound;

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(q * sorted.length), sorted.length - 1)] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Medians of both, and of their ratio round by round. */
export interface Comparison {
  readonly a: number;
  readonly b: number;
  /** a / b. */
  readonly ratio: number;
  readonly spread: readonly [number, number];
}

/** Runs A and B by turns, the order changing each round: what the machine does hits both. */
export async function alternate(
  rounds: number,
  a: () => Promise<number>,
  b: () => Promise<number>,
): Promise<Comparison> {
  const as: number[] = [];
  const bs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) as.push(await a());
    bs.push(await b());
    if (round % 2 === 1) as.push(await a());
  }
  const ratios = as.map((value, round) => value / (bs[round] as number));
  const spread: [number, number] = [Math.min(...ratios), Math.max(...ratios)];
  return { a: median(as), b: median(bs), ratio: median(ratios), spread };
}

export interface Batch<Output> {
  readonly perSecond: number;
  readonly outputs: readonly Output[];
}

/** Does all of `inputs`, with `inFlight` of them under way at any time. */
export async function eachInFlight<Input, Output>(
  inputs: readonly Input[],
  inFlight: number,
  one: (input: Input) => Promise<Output>,
): Promise<Batch<Output>> {
  const outputs: Output[] = [];
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next < inputs.length) outputs.push(await one(inputs[next++] as Input));
    }),
  );
  return { perSecond: (inputs.length / (performance.now() - startedAt)) * 1000, outputs };
}

/** Median time of one, one after the other, milliseconds. */
export async function latencyOf(count: number, one: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const startedAt = performance.now();
    await one();
    times.push(performance.now() - startedAt);
  }
  return median(times);
}
