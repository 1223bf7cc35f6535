/** What those who wait use of an AbortSignal, which is one too. */
export interface Signal {
  readonly aborted: boolean;
  /** Why; undefined until then. */
  readonly reason: unknown;
  /** @throws the reason, once it has aborted */
  throwIfAborted(): void;
  /** Called once, unless it is removed before. Never for a signal that has aborted already. */
  addEventListener(type: 'abort', listener: () => void, options: { once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * A Signal without the weight of Node's: that one is an EventTarget with an Event,
 * made for each of some ten thousand operations a second and heard by two or three.
 */
export class LightSignal implements Signal {
  aborted = false;
  reason: unknown;
  /** One listener is the rule. */
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
