/** The part of AbortSignal that our code uses; an AbortSignal is one too. */
export interface Signal {
  readonly aborted: boolean;
  /** The reason of the abort; undefined before it. */
  readonly reason: unknown;
  /** @throws the reason, once it has aborted */
  throwIfAborted(): void;
  /** The listener is called once, unless it is removed; never if the signal has aborted already. */
  addEventListener(type: 'abort', listener: () => void, options: { once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * A Signal that is lighter than Node's AbortSignal. Node's is an EventTarget with an Event;
 * ours is made for some ten thousand operations a second, with two or three listeners each.
 */
export class LightSignal implements Signal {
  aborted = false;
  reason: unknown;
  /** Most signals have one listener. */
  #listener: (() => void) | undefined;
  #others: Set<() => void> | undefined;

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  addEventListener(_: 'abort', listener: () => void): void {
    if (this.#listener === undefined) this.#listener = listener;
    else {
      this.#others ??= new Set();
      this.#others.add(listener);
    }
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    if (this.#listener === listener) this.#listener = undefined;
    else this.#others?.delete(listener);
  }

  /** Idempotent: the first reason stays. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const [first, others] = [this.#listener, this.#others];
    this.#listener = this.#others = undefined;
    first?.();
    for (const listener of others ?? []) listener();
  }
}
