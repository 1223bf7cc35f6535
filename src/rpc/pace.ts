import type { Clock } from '../core/clock.js';
import type { OperationContext } from '../core/context.js';
import { StalledError, TimeoutError } from '../core/errors.js';

export interface PaceTimes {
  /** Longest that nothing may move while the peer is to send or to read. */
  readonly peerMs: number;
  /** Longest step of the master's own. */
  readonly ownMs: number;
}

/**
 * The deadlines of a transfer, which has none as a whole: a deadline of its context is that
 * of the step under way, the peer's or the master's own.
 */
export class Pace {
  #peerSinceMs: number | undefined;

  constructor(
    private readonly ctx: OperationContext,
    private readonly clock: Clock,
    private readonly times: PaceTimes & { readonly operation: string },
  ) {
    this.own();
  }

  /** The master is at work. */
  own(): void {
    const { operation, ownMs: durationMs } = this.times;
    this.#peerSinceMs = undefined;
    this.ctx.renew(durationMs, () => new TimeoutError({ operation, durationMs }));
  }

  /** The peer is waited for, or has just sent or read something. */
  peer(): void {
    const { peerMs } = this.times;
    this.#peerSinceMs = this.clock.monotonic();
    this.ctx.renew(peerMs, () => new StalledError({ stalledMs: peerMs }));
  }

  /** To be called when the peer has read something. */
  readonly moved = (): void => {
    if (this.#peerSinceMs !== undefined) this.peer();
  };

  /** For how long nothing has moved for the peer's sake, milliseconds. */
  get stalledMs(): number {
    return this.#peerSinceMs === undefined ? 0 : this.clock.monotonic() - this.#peerSinceMs;
  }

  /** The messages of the peer, each waited for in its time. */
  async *received<Message>(messages: AsyncIterable<Message>): AsyncGenerator<Message> {
    this.peer();
    for await (const message of messages) {
      this.own();
      yield message;
      this.peer();
    }
    this.own();
  }
}
