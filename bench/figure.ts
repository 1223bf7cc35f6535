import type { SecureContext } from 'node:tls';
import type { ConnectOptions } from '../src/client/connect.js';
import type { Percentiles } from './latencies.js';
import table from './targets.json' with { type: 'json' };

/** targets.json: every figure by name, with the bound it is held to, if it is. */
export type Name = keyof typeof table;

/** A measurement of every figure in a section: without one it does not compile. */
export type MeasuredOf<S extends Name> = Readonly<
  Record<keyof (typeof table)[S]['figures'], Measured>
>;

export interface Measured {
  /** Median of the rounds, or the p99 of many times. */
  readonly value: number;
  /** Smallest and largest of the rounds, or median and longest of the times. */
  readonly spread: readonly [number, number];
  readonly detail: string;
  /** More about many times, for the results file. */
  readonly percentiles?: Percentiles;
}

/** One line of the report. */
export interface Figure extends Measured {
  readonly name: string;
  readonly unit: string;
  /** E.g. ">= 0.9"; absent where the figure only informs. */
  readonly target?: string;
  /** How many times better than its target a value is. */
  readonly goodness: (value: number) => number;
  readonly isMet: boolean;
}

/** The figures of one benchmark. */
export interface Section {
  readonly about: string;
  readonly command: string;
  readonly seconds: number;
  readonly figures: readonly Figure[];
}

/** Means of a benchmark. */
export interface Bench {
  readonly rounds: number;
  /** Share of the whole benchmark's numbers and times; 1 for all of them. */
  readonly scale: number;
  /** Numbers that the names of figures mention. */
  readonly sizes: Readonly<Record<'jobs' | 'bots' | 'calls', number>>;
  /** How its callers connect to a master with its data in `directory`; absent: without anything. */
  readonly connecting?: (directory: string) => ConnectOptions;
  /** What its bots speak TLS with; absent: they do not. */
  readonly secureContext?: SecureContext;
  /** A new empty folder, on the disk of this checkout. */
  folder(): string;
  say(line: string): void;
}

export function figuresOf<S extends Name>(
  section: S,
  measured: MeasuredOf<S>,
  sizes: Bench['sizes'],
): { about: string; figures: Figure[] } {
  const { about, figures } = table[section];
  const rows = Object.entries(figures) as [keyof MeasuredOf<S>, Row][];
  const sizeOf = (_: string, size: keyof Bench['sizes']) => count(sizes[size]);
  const named = (row: Row) => ({ ...row, name: row.name.replace(/\{(\w+)\}/g, sizeOf) });
  return { about, figures: rows.map(([key, row]) => figureOf(named(row), measured[key])) };
}

type Row = Pick<Figure, 'name' | 'unit' | 'target'>;

function figureOf(row: Row, measured: Measured): Figure {
  const [is, bound = '1'] = (row.target ?? '>= 0').split(' ');
  const goodness = (value: number) =>
    is === '>=' ? value / Number(bound) : Number(bound) / Math.max(value, Number.MIN_VALUE);
  const times = goodness(measured.value);
  return { ...row, ...measured, goodness, isMet: is === '<' ? times > 1 : times >= 1 };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export const ofRounds = (values: readonly number[], detail: string): Measured => ({
  value: median(values),
  spread: [Math.min(...values), Math.max(...values)],
  detail,
});

export const ofOne = (value: number, detail: string): Measured => ofRounds([value], detail);

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

/** With as many digits as mean something. */
export const numberText = (value: number): string =>
  Number.isInteger(value) || value >= 100 ? count(value) : value.toFixed(2);
