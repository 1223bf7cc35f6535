import { binomial, exponential, type Random } from './chance.js';

/**
 * A target whose features are found by engines after exponential waiting times. Rates span five
 * orders of magnitude, so that curves look like those of real fuzzers: steep, then nearly
 * logarithmic. A feature may wait behind a gate: nobody finds it before the gate is in the
 * corpus. A run begins with the corpus as it is then, and adds to it what it found at its end;
 * what another run brought first counts for nothing.
 */

/** An engine with a build. */
export interface Engine {
  /** Seconds until it executes its first input: of the start, and of loading the corpus. */
  readonly overheadS: number;
  /** Mean seconds until it dies; 0: it does not. */
  readonly diesAfterS: number;
  /** For each feature, finds in a second; 0: it never finds it. */
  readonly rates: readonly number[];
}

export interface TargetPlan {
  readonly engines: readonly Engine[];
  /** For each feature, the feature that it waits behind; -1: none. */
  readonly gates: readonly number[];
}

/** Rates are rounded to powers of 2, from 1/32 in a second to once in 150 h and rarer. */
const bands = 24;
const rateOf = (band: number) => 2 ** (-5 - band);
const bandOf = (rate: number) => Math.min(bands - 1, Math.max(0, Math.round(-Math.log2(rate) - 5)));

/** Features of one rate that an engine may find; one of them is drawn, or taken out, at once. */
class Band {
  readonly #features: number[] = [];
  readonly #places = new Map<number, number>();

  get size(): number {
    return this.#features.length;
  }

  add(feature: number): void {
    this.#places.set(feature, this.#features.push(feature) - 1);
  }

  remove(feature: number): void {
    const place = this.#places.get(feature);
    const last = this.#features.pop();
    if (place === undefined || last === undefined) return;
    this.#places.delete(feature);
    if (last === feature) return;
    this.#features[place] = last;
    this.#places.set(last, place);
  }

  /** So many different ones. */
  draw(random: Random, count: number): number[] {
    const drawn: number[] = [];
    for (let i = 0; i < count; i++) {
      const other = i + Math.floor(random() * (this.#features.length - i));
      const [a = 0, b = 0] = [this.#features[i], this.#features[other]];
      this.#put(i, b);
      this.#put(other, a);
      drawn.push(b);
    }
    return drawn;
  }

  #put(place: number, feature: number): void {
    this.#features[place] = feature;
    this.#places.set(feature, place);
  }
}

export class SimulatedTarget {
  readonly engines: readonly Engine[];
  readonly #bands: Band[][];
  /** Of each engine and feature; -1: never. */
  readonly #bandOf: number[][];
  readonly #behind = new Map<number, number[]>();
  readonly #found = new Set<number>();

  constructor({ engines, gates }: TargetPlan) {
    this.engines = engines;
    this.#bands = engines.map(() => Array.from({ length: bands }, () => new Band()));
    this.#bandOf = engines.map(({ rates }) => rates.map((rate) => (rate > 0 ? bandOf(rate) : -1)));
    for (const [feature, gate] of gates.entries()) {
      if (gate < 0) this.#open(feature);
      else this.#behind.set(gate, [...(this.#behind.get(gate) ?? []), feature]);
    }
  }

  get found(): number {
    return this.#found.size;
  }

  /** What a run finds that begins now, and how long it takes. */
  run(random: Random, index: number, plannedS: number): { finds: number[]; costS: number } {
    const engine = this.engines[index] as Engine;
    const wantedS = Math.max(0, plannedS - engine.overheadS);
    const livesS = engine.diesAfterS > 0 ? engine.diesAfterS * exponential(random) : wantedS;
    const fuzzedS = Math.min(wantedS, livesS);
    const finds: number[] = [];
    for (const [rate, band] of (this.#bands[index] ?? []).entries()) {
      if (band.size === 0) continue;
      const count = binomial(random, band.size, -Math.expm1(-rateOf(rate) * fuzzedS));
      if (count > 0) finds.push(...band.draw(random, count));
    }
    // Behind a gate that this run passes there is half of it left, on average.
    for (const gate of finds) {
      for (const feature of this.#behind.get(gate) ?? []) {
        const band = this.#bandOf[index]?.[feature] ?? -1;
        if (band >= 0 && random() < -Math.expm1(-rateOf(band) * fuzzedS * 0.5)) finds.push(feature);
      }
    }
    return { finds, costS: Math.min(plannedS, engine.overheadS + fuzzedS) };
  }

  /** @returns how many of them nobody had */
  publish(finds: readonly number[]): number {
    const before = this.#found.size;
    for (const feature of finds) {
      if (this.#found.has(feature)) continue;
      this.#found.add(feature);
      this.#each(feature, (band) => band.remove(feature));
      for (const next of this.#behind.get(feature) ?? []) {
        if (!this.#found.has(next)) this.#open(next);
      }
    }
    return this.#found.size - before;
  }

  #open(feature: number): void {
    this.#each(feature, (band) => band.add(feature));
  }

  #each(feature: number, what: (band: Band) => void): void {
    for (const [index, known] of this.#bandOf.entries()) {
      const band = this.#bands[index]?.[known[feature] ?? -1];
      if (band) what(band);
    }
  }
}
