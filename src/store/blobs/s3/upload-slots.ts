import { orAbort } from '../../../core/context.js';
import type { Signal } from '../../../core/signal.js';

/** Bounds how many parts of uploads are in memory at once, over all callers. */
export class UploadSlots {
  readonly #waiting: (() => void)[] = [];

  constructor(private free: number) {}

  /** Runs `work` when there is a slot, in the order of the callers. */
  async during<T>(signal: Signal, work: () => Promise<T>): Promise<T> {
    await this.#take(signal);
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  async #take(signal: Signal): Promise<void> {
    signal.throwIfAborted();
    if (this.free > 0) {
      this.free--;
      return;
    }
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn.resolve);
    try {
      await orAbort(signal, turn.promise);
    } catch (error) {
      const at = this.#waiting.indexOf(turn.resolve);
      if (at >= 0) this.#waiting.splice(at, 1);
      // It got the slot in the same turn: the next one takes it.
      else this.#pass();
      throw error;
    }
  }

  #pass(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.free++;
  }
}
