/** Builds that are remembered; beyond it the one that was used longest ago is forgotten. */
const mostBuilds = 4096;

/**
 * Builds of targets that have run on some bot since the master started: a start of one of
 * these that fails is the bot's trouble.
 */
export class ProvenBuilds {
  readonly #builds = new Set<string>();

  add(sha256: string): void {
    this.#builds.delete(sha256); // to the end of the set
    this.#builds.add(sha256);
    if (this.#builds.size <= mostBuilds) return;
    for (const oldest of this.#builds) {
      this.#builds.delete(oldest);
      return;
    }
  }

  has(sha256: string): boolean {
    return this.#builds.has(sha256);
  }
}
