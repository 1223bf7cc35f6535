import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { type Clock, sleep } from '../core/clock.js';
import { OverloadError } from '../core/errors.js';

/** Messages that may wait for a peer that does not read, before it is cut off. */
const largestBacklog = 1024;

/**
 * The outgoing side of a stream, bounded: grpc-js itself would queue without
 * end. Who reads nothing for `stallMs`, or lets too much pile up, is cut off.
 */
export class Outbox<Message> {
  #latest: Message | undefined;
  #flushing = false;
  /** When something was last taken off us, or we last had nothing; monotonic. */
  #movedAtMs: number;

  constructor(
    private readonly stream: Writable,
    private readonly clock: Clock,
    private readonly stallMs: number,
  ) {
    this.#movedAtMs = clock.monotonic();
  }

  /**
   * Queues a message.
   *
   * @throws OverloadError when the peer has not been reading
   */
  send(message: Message): void {
    if (this.#isOver) return;
    this.#expectReader();
    this.stream.write(message, this.#onTaken);
  }

  /**
   * Queues a message that makes earlier ones of its kind superfluous: only the
   * last that came in one turn of the event loop, or since the peer last took
   * something, is sent.
   *
   * @throws OverloadError when the peer has not been reading
   */
  sendLatest(message: Message): void {
    if (this.#isOver) return;
    this.#latest = message;
    if (this.stream.writableLength > 0) this.#expectReader();
    else this.#flushSoon();
  }

  /** Resolves once the stream takes another one, or is gone (then no drain ever comes). */
  async sendWhenTaken(message: Message): Promise<void> {
    if (this.stream.destroyed || this.stream.write(message)) return;
    const over = new AbortController();
    const { signal } = over;
    try {
      await Promise.race([
        once(this.stream, 'drain', { signal }),
        once(this.stream, 'close', { signal }),
        sleep(this.clock, this.stallMs, signal).then(() => {
          throw notRead();
        }),
      ]);
    } finally {
      over.abort();
    }
  }

  get #isOver(): boolean {
    return this.stream.writableEnded || this.stream.destroyed;
  }

  #expectReader(): void {
    const waiting = this.stream.writableLength;
    const now = this.clock.monotonic();
    if (waiting === 0) this.#movedAtMs = now;
    if (waiting >= largestBacklog || now - this.#movedAtMs > this.stallMs) throw notRead();
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(this.#endTurn);
  }

  /** Sends what was only to be sent at the end of this turn. */
  flush(): void {
    const message = this.#latest;
    this.#latest = undefined;
    if (message === undefined || this.#isOver) return;
    this.#movedAtMs = this.clock.monotonic();
    this.stream.write(message, this.#onTaken);
  }

  readonly #endTurn = (): void => {
    this.#flushing = false;
    this.flush();
  };

  readonly #onTaken = (): void => {
    this.#movedAtMs = this.clock.monotonic();
    if (this.#latest !== undefined && this.stream.writableLength === 0) this.#flushSoon();
  };
}

function notRead(): OverloadError {
  const what = 'this stream is not read: too much is waiting on it';
  return new OverloadError({ what, retryAfterMs: 1000 });
}
