import type { Clock, Timer } from '../src/core/clock.js';

/** Settings of a master whose clock is turned by much at once: that ends no operation of its store. */
export const patientStore = { PANDAFUZZ_TIMEOUTS_DATABASE_OP: '24h' } as const;

/** A clock that only moves when told to, and fires what falls due on the way, in order. */
export class VirtualClock implements Clock {
  #elapsedMs = 0;
  #due: { at: number; fire: () => void }[] = [];

  now(): number {
    return Date.UTC(2026, 0, 1) + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  schedule(delayMs: number, fire: () => void): Timer {
    const entry = { at: this.#elapsedMs + Math.max(delayMs, 0), fire };
    this.#due.push(entry);
    return { cancel: () => this.#remove(entry) };
  }

  /** Timers that have not fired and were not cancelled. */
  get pending(): number {
    return this.#due.length;
  }

  advance(ms: number): void {
    const until = this.#elapsedMs + ms;
    for (;;) {
      const next = this.#due.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#remove(next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.at);
      next.fire();
    }
    this.#elapsedMs = until;
  }

  /** As if the process had been stopped: time has passed, and no timer fired meanwhile. */
  freeze(ms: number): void {
    this.#elapsedMs += ms;
  }

  #remove(entry: { at: number; fire: () => void }): void {
    this.#due = this.#due.filter((other) => other !== entry);
  }
}
