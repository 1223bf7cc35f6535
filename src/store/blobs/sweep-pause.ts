/**
 * Lets no sweep run while somebody holds all blobs: a backup copies the database first, and
 * then every blob that the copy refers to. The round that is under way ends first.
 */
export class SweepPause {
  #holders = 0;
  #round: Promise<unknown> | undefined;
  #stop = new AbortController();

  /** Resolves when no round runs. @returns lets rounds run again, idempotent */
  async hold(): Promise<() => void> {
    this.#holders += 1;
    let isHeld = true;
    this.#stop.abort();
    await this.#round?.catch(() => {});
    return () => {
      if (isHeld) this.#holders -= 1;
      isHeld = false;
    };
  }

  /** Runs a round, which ends soon after its signal aborts. @returns undefined while held */
  async run<T>(
    signal: AbortSignal,
    round: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    if (this.#holders > 0) return undefined;
    this.#stop = new AbortController();
    const running = round(AbortSignal.any([signal, this.#stop.signal]));
    this.#round = running;
    try {
      return await running;
    } finally {
      this.#round = undefined;
    }
  }
}
