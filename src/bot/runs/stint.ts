/** Starts that search for the length; after them the engine runs as long as it can. */
const mostSearches = 24;
/** Length of the first search, executions. */
const firstRuns = 1024;
/** Growth while no start with a limit has ended too soon. */
const growth = 4;
/** The longest good length and the shortest bad one are near enough, as a ratio. */
const nearEnough = 1.04;

/**
 * Measures how many executions a target survives that ends by itself without a report. The
 * engine prints its count seldom, and such an end loses the count. So the next starts get a
 * limit: a start that reaches it ends with exact figures; any other start shows that the
 * length is shorter. Once the length is known, starts end just before it. A target that ends
 * now sooner, now later, has no such length, and gets no limit.
 */
export class Stint {
  #longestGood = 0;
  #shortestBad = Number.POSITIVE_INFINITY;
  #searches = 0;
  #isSearching = false;
  #isErratic = false;

  /** Limit for the next start; undefined for none. */
  get runs(): number | undefined {
    if (!this.#isSearching || this.#isErratic) return undefined;
    if (this.isKnown) return this.#longestGood || undefined;
    if (this.#searches >= mostSearches) return undefined;
    if (this.#shortestBad === Number.POSITIVE_INFINITY) {
      return Math.max(firstRuns, this.#longestGood * growth);
    }
    const least = Math.max(this.#longestGood, 1);
    return Math.max(Math.round(Math.sqrt(least * this.#shortestBad)), 1);
  }

  /** Whether the length is known closely: at least `range[0]` executions, and fewer than `range[1]`. */
  get isKnown(): boolean {
    return !this.#isErratic && this.#shortestBad <= this.#longestGood * nearEnough + 1;
  }

  get range(): readonly [number, number] {
    return [this.#longestGood, this.#shortestBad];
  }

  /** A start came to this limit. */
  reached(runs: number): void {
    this.#searches += 1;
    this.#longestGood = Math.max(this.#longestGood, runs);
    this.#isErratic ||= this.#longestGood >= this.#shortestBad;
  }

  /** A start ended by itself, under this limit if any, after at least so many executions. */
  endedEarly(runs: number | undefined, executions: number): void {
    this.#isSearching = true;
    this.#longestGood = Math.max(this.#longestGood, Math.max(executions - 1, 0));
    if (runs === undefined) return;
    this.#searches += 1;
    this.#shortestBad = Math.min(this.#shortestBad, runs);
    this.#isErratic ||= this.#longestGood >= this.#shortestBad;
  }
}
