import type { Clock, Timer } from '../../core/clock.js';

/** A signal that aborts a while after another, for what is still to be done by then. */
export class Grace {
  readonly #over = new AbortController();
  #timer: Timer | undefined;

  /** @param ms from the other signal on, milliseconds */
  constructor(
    private readonly clock: Clock,
    private readonly stopped: AbortSignal,
    private readonly ms: number,
  ) {
    if (stopped.aborted) this.#begin();
    else stopped.addEventListener('abort', this.#begin, { once: true });
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  end(): void {
    this.stopped.removeEventListener('abort', this.#begin);
    this.#timer?.cancel();
  }

  readonly #begin = (): void => {
    this.#timer = this.clock.schedule(this.ms, () => this.#over.abort(this.stopped.reason));
  };
}
