import type { Percentiles } from './latencies.js';
import table from './targets.json' with { type: 'json' };

/** targets.json: every figure by name, with the bound it is held to, if it is. */
export type SectionName = keyof typeof table;

/** A measurement of every figure in a section: without one it does not compile. */
export type MeasuredOf<S extends SectionName> = Readonly<
  Record<keyof (typeof table)[S]['figures'], Measured>
>;

export interface Measured {
  /** Median of the rounds, or the p99 of many times. */
  readonly value: number;
  /** Smallest and largest of the rounds, or median and longest of the times. */
  readonly spread: readonly [number, number];
  /** Absolute figures, numbers of rows and the like, for the reader. */
  readonly detail: string;
  /** More about many times, for the results file. */
  readonly percentiles?: Percentiles;
}

/** One line of the report. */
export interface Figure extends Measured {
  readonly name: string;
  /** E.g. "ratio", "ms". */
  readonly unit: string;
  /** Absent where the figure only informs. */
  readonly target?: Target;
  readonly isMet: boolean;
}

export interface Target {
  readonly is: '>=' | '<=' | '<';
  readonly bound: number;
}

/** The figures of one benchmark. */
export interface Section {
  readonly about: string;
  /** Takes these figures again. */
  readonly command: string;
  /** Of the measurements. */
  readonly seconds: number;
  readonly figures: readonly Figure[];
}

/** Sizes of this run, which the names of figures mention. */
export interface Sizes {
  readonly jobs: number;
  readonly bots: number;
  readonly calls: number;
}

export function figuresOf<S extends SectionName>(
  section: S,
  measured: MeasuredOf<S>,
  sizes: Sizes,
): { about: string; figures: Figure[] } {
  const { about, figures } = table[section];
  const rows = Object.entries(figures) as [keyof MeasuredOf<S>, Row][];
  return { about, figures: rows.map(([key, row]) => figureOf(row, measured[key], sizes)) };
}

interface Row {
  readonly name: string;
  readonly unit: string;
  /** E.g. ">= 0.9". */
  readonly target?: string;
}

function figureOf({ name: template, unit, target: text }: Row, measured: Measured, sizes: Sizes) {
  const name = template.replace(/\{(\w+)\}/g, (_, size) => count(sizes[size as keyof Sizes]));
  if (text === undefined) return { name, unit, isMet: true, ...measured };
  const [is, bound] = text.split(' ');
  const target = { is, bound: Number(bound) } as Target;
  return { name, unit, target, isMet: isMet(measured.value, target), ...measured };
}

const isMet = (value: number, { is, bound }: Target) =>
  is === '>=' ? value >= bound : is === '<=' ? value <= bound : value < bound;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** One value for each round. */
export const ofRounds = (values: readonly number[], detail: string): Measured => ({
  value: median(values),
  spread: [Math.min(...values), Math.max(...values)],
  detail,
});

/** Measured once. */
export const ofOne = (value: number, detail: string): Measured => ofRounds([value], detail);

/** p99 of many times. */
export const ofTimes = (percentiles: Percentiles, detail: string): Measured => ({
  value: percentiles.p99,
  spread: [percentiles.p50, percentiles.max],
  detail: `${detail}; spread: median to longest`,
  percentiles,
});

export const count = (value: number): string => Math.round(value).toLocaleString('en');
export const rate = (perSecond: number): string => `${count(perSecond)}/s`;
export const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
export const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

export const valueText = ({ value, unit }: Figure): string =>
  unit === 'ratio' ? numberText(value) : `${numberText(value)}${unit === '/s' ? '' : ' '}${unit}`;

/** With as many digits as mean something. */
export const numberText = (value: number): string =>
  Number.isInteger(value) || value >= 100 ? count(value) : value.toFixed(2);
