import { type RunNote, RunNoteKind } from '../../gen/pandafuzz/v1/job.js';
import type { DistinctCount } from '../findings/findings.js';
import { NamelessStacks } from './nameless-stacks.js';
import { note, times } from './notes.js';

/** Starts that are looked at: the last ones. */
const windowStarts = 32;
/** With fewer, nothing is said. */
const leastStarts = 5;
/** Share of the time that is lost to restarts: said from here on, and saved from here on. */
const saidShare = 0.1;
const savedShare = 0.5;
/** Reading the corpus takes long from here on, milliseconds; it is part of the time by `savedShare`. */
const longLoadMs = 300;
/** A start with a part of the corpus that fuzzes so many times as long as all of it takes to read. */
const worthAllOfIt = 20;

/** One start that a crash has ended. */
export interface CrashedStart {
  /** Time from its start to that of the next one, milliseconds. */
  readonly lengthMs: number;
  /** Of that: nothing was fuzzed. */
  readonly lostMs: number;
  /** Of that: it read its corpus. */
  readonly loadMs: number;
  /** Distinct crashes that ended it. */
  readonly keys: readonly string[];
}

/**
 * What crashes cost that end the target again and again. Most of a short start goes into the
 * names of its stack, or into reading the corpus. Where restarts take most of the time, stacks
 * come without names, and only one that is new is run once more, alone, with names; and where
 * reading does, starts use a part of the corpus.
 */
export class Restarts {
  readonly #window: CrashedStart[] = [];
  readonly #stacks = new NamelessStacks();

  /** Time that the whole corpus takes; 0 while all of it is used. */
  #fullLoadMs = 0;

  /** Starts use a part of the corpus: reading all of it takes most of the time. */
  get usesPart(): boolean {
    return this.#fullLoadMs > 0;
  }

  add(start: CrashedStart): void {
    this.#window.push(start);
    if (this.#window.length > windowStarts) this.#window.shift();
    if (this.#fullLoadMs > 0) {
      const fuzzedMs = start.lengthMs - start.lostMs;
      if (fuzzedMs > worthAllOfIt * this.#fullLoadMs) this.#fullLoadMs = 0;
    } else this.#fullLoadMs = this.#longLoadMs;
  }

  /** Mean time of reading the corpus, where it is what takes the time; else 0. */
  get #longLoadMs(): number {
    const { length } = this.#window;
    const loadMs = this.#window.reduce((sum, start) => sum + start.loadMs, 0);
    const isBound = length >= leastStarts && loadMs >= savedShare * this.#lengthMs;
    return isBound && loadMs >= longLoadMs * length ? loadMs / length : 0;
  }

  /** A start ended without a crash: it has used its time. */
  clear(): void {
    this.#fullLoadMs = 0;
    this.#window.length = 0;
  }

  /** For the next start; undefined: its stacks get names. */
  get namelessStacks(): NamelessStacks | undefined {
    const isWorthIt = this.#window.length >= leastStarts && this.#lostShare >= savedShare;
    return isWorthIt && !this.#stacks.areNamesNeeded ? this.#stacks : undefined;
  }

  /** @param counts distinct crashes by their keys */
  note(counts: ReadonlyMap<string, Readonly<DistinctCount>>): RunNote | undefined {
    const lost = this.#lostShare;
    if (this.#window.length < leastStarts || lost < saidShare) return undefined;
    const [key, ends] = this.#mostFrequent;
    const seconds = Math.max(this.#lengthMs / 1000, 0.001);
    const { place = 'an unknown place', last } = counts.get(key) ?? {};
    const id = last?.groupId ? ` (${last.groupId})` : '';
    const share = Math.round(100 * lost);
    return note(
      RunNoteKind.RESTARTS,
      `crashes in ${place.slice(0, 100)}${id} end the target ${times(ends / seconds)} a second: ${share} % of the time goes into restarts`,
    );
  }

  get #lengthMs(): number {
    return this.#window.reduce((sum, { lengthMs }) => sum + lengthMs, 0);
  }

  get #lostShare(): number {
    const lostMs = this.#window.reduce((sum, start) => sum + start.lostMs, 0);
    return this.#window.length > 0 ? Math.min(lostMs / Math.max(this.#lengthMs, 1), 1) : 0;
  }

  /** The key that ended most starts, and how many. */
  get #mostFrequent(): [string, number] {
    const ends = new Map<string, number>();
    for (const { keys } of this.#window) {
      for (const key of new Set(keys)) ends.set(key, (ends.get(key) ?? 0) + 1);
    }
    return [...ends].reduce((most, one) => (one[1] > most[1] ? one : most), ['', 0]);
  }
}
