import { Latencies } from '../latencies.js';

/** For anything a script waits for; a longer wait means that something has gone wrong. */
const patienceMs = 60_000;

/** Events of a crew since the last `reset`. */
export class Tally {
  /** Bots that are connected, whenever they came. */
  here = 0;
  /** Hellos that were answered. */
  welcomes = 0;
  /** Leases in them that live on, and that do not. */
  kept = 0;
  abandoned = 0;
  assigned = 0;
  /** Times from beats to their answers. */
  answers = new Latencies();
  readonly #waiting = new Set<() => void>();

  reset(): void {
    this.welcomes = this.kept = this.abandoned = this.assigned = 0;
    this.answers = new Latencies();
  }

  changed(): void {
    for (const look of this.#waiting) look();
  }

  /** Resolves once it is so. @throws Error when it is not in time */
  async until(what: string, isSo: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (isSo()) resolve();
    };
    const timer = setTimeout(() => {
      const { here, welcomes, kept, abandoned, assigned } = this;
      const counts = JSON.stringify({ here, welcomes, kept, abandoned, assigned });
      reject(new Error(`not after ${patienceMs / 1000} s: ${what}; ${counts}`));
    }, patienceMs);
    this.#waiting.add(look);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }
}
