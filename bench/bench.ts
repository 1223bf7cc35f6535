import type { Sizes } from './figure.js';

/** Means of a benchmark. */
export interface Bench {
  /** Rounds of each comparison. */
  readonly rounds: number;
  readonly sizes: Sizes;
  /** Share of the whole benchmark's numbers and times; 1 for all of them. */
  readonly scale: number;
  /** A new empty folder, on the disk of this checkout. */
  folder(): string;
  say(line: string): void;
}
