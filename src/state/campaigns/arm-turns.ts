/** What a build of a campaign is owed, CPU milliseconds. */
interface Owed {
  credit: number;
}

/**
 * Turns of a campaign's builds by shares of CPU time: smooth weighted round robin. Every
 * credit grows by its share of a run that is taken, and the taken one falls by the run. A
 * build that no free bot fits is left out, and saves nothing up.
 */
export class ArmTurns {
  readonly #owed = new Map<string, Owed>();

  /** The builds are these now; those that stay keep what they are owed. */
  keepOnly(builds: readonly string[]): void {
    for (const build of this.#owed.keys()) if (!builds.includes(build)) this.#owed.delete(build);
  }

  creditOf(build: string): number {
    return this.#owed.get(build)?.credit ?? 0;
  }

  /**
   * Takes the build whose turn it is.
   *
   * @param shares of builds that can be taken now
   * @param all builds of the campaign
   */
  take(
    shares: ReadonlyMap<string, number>,
    all: readonly string[],
    lengthOf: (build: string) => number,
  ): string | undefined {
    let best: string | undefined;
    let most = Number.NEGATIVE_INFINITY;
    for (const [build, share] of shares) {
      const claim = this.creditOf(build) + share * lengthOf(build);
      if (claim > most) [best, most] = [build, claim];
    }
    if (best === undefined) return undefined;
    for (const build of all) if (!shares.has(build)) this.#owed.delete(build);
    this.charge(best, lengthOf(best), shares);
    return best;
  }

  /** The build has used so much, or less than it was charged where this is negative. */
  charge(taken: string, costMs: number, shares: ReadonlyMap<string, number>): void {
    let sum = 0;
    for (const share of shares.values()) sum += share;
    // Those that have none take turns only where nobody else can.
    if (sum === 0) return;
    for (const [build, share] of shares) this.#add(build, (share / sum) * costMs);
    this.#add(taken, -costMs);
  }

  #add(build: string, ms: number): void {
    const owed = this.#owed.get(build);
    if (owed) owed.credit += ms;
    else this.#owed.set(build, { credit: ms });
  }
}
