import type { Signal } from './signal.js';

/** Lets a number of pieces of work run at once; further ones wait for their turn, in order. */
export class Turns {
  #running = 0;
  readonly #waiting = new Set<() => void>();

  constructor(private readonly most: number) {}

  /** Pieces of work that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** @throws the signal's reason, once it aborts while the work waits */
  async run<Result>(signal: Signal, work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.most) await this.#turn(signal);
    else this.#running++;
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  /** Resolves with a turn that somebody has passed on. */
  #turn(signal: Signal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const begin = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.delete(begin);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(begin);
    });
  }

  #pass(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
