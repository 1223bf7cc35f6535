import { failureOf } from '../../client/failure.js';
import type { Clock } from '../../core/clock.js';

/** A full corpus is tried again after so long, milliseconds: its setting may have been raised. */
const againAfterMs = 5 * 60_000;

/**
 * Whether the shared corpus takes no more inputs, as the master answered last. It is tried
 * again when inputs have left it, and after a while.
 */
export class FullCorpus {
  #refused: { readonly revision: number; readonly atMs: number } | undefined;
  #isKnown = false;

  constructor(
    private readonly clock: Clock,
    /** Rises each time that inputs leave the corpus. */
    private readonly revision: () => number,
  ) {}

  /** The master's last answer was that the corpus is full. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Nothing is to be sent now. */
  get isWaiting(): boolean {
    const last = this.#refused;
    if (!last || last.revision !== this.revision()) return false;
    return this.clock.monotonic() - last.atMs < againAfterMs;
  }

  /** @returns whether the failure says so */
  noteFailure(error: unknown): boolean {
    if (failureOf(error)?.reason !== 'LIMIT_EXCEEDED') return false;
    this.#refused = { revision: this.revision(), atMs: this.clock.monotonic() };
    this.#isKnown = true;
    return true;
  }

  noteSuccess(): void {
    this.#refused = undefined;
    this.#isKnown = false;
  }
}
