import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { type Clock, sleep } from '../core/clock.js';
import { OverloadError } from '../core/errors.js';
import { atEndOfTurn } from '../core/turn.js';
import { sendMessage } from './http2.js';

/** Messages that may wait for a peer that does not read, before it is cut off. */
const largestBacklog = 1024;

/**
 * The outgoing side of a stream, bounded: grpc-js itself would queue without
 * end. Who reads nothing for `stallMs`, or lets too much pile up, is cut off.
 */
export class Outbox<Message> {
  #latest: Message | undefined;
  #isToFlush = false;
  /** Messages handed to HTTP/2 that the peer has not taken yet. */
  #waiting = 0;
  /** When the peer last took something, or something began to wait for it; monotonic. */
  #movedAtMs = 0;

  constructor(
    private readonly stream: Writable,
    private readonly clock: Clock,
    private readonly stallMs: number,
  ) {}

  /**
   * Queues a message.
   *
   * @throws OverloadError when the peer has not been reading
   */
  send(message: Message): void {
    if (this.#isOver) return;
    this.#expectReader();
    this.#write(message);
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
    if (this.#waiting > 0) this.#expectReader();
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
    if (this.#waiting === 0) return;
    const stalledMs = this.clock.monotonic() - this.#movedAtMs;
    if (this.#waiting >= largestBacklog || stalledMs > this.stallMs) throw notRead();
  }

  #flushSoon(): void {
    if (this.#isToFlush) return;
    this.#isToFlush = true;
    atEndOfTurn(this.#endTurn);
  }

  /** Sends what was only to be sent at the end of this turn. */
  flush(): void {
    const message = this.#latest;
    this.#latest = undefined;
    if (message !== undefined && !this.#isOver) this.#write(message);
  }

  #write(message: Message): void {
    if (this.#waiting++ === 0) this.#movedAtMs = this.clock.monotonic();
    sendMessage(this.stream, message, this.#onTaken);
  }

  readonly #endTurn = (): void => {
    this.#isToFlush = false;
    this.flush();
  };

  readonly #onTaken = (): void => {
    if (--this.#waiting > 0) this.#movedAtMs = this.clock.monotonic();
    else if (this.#latest !== undefined) this.#flushSoon();
  };
}

function notRead(): OverloadError {
  const what = 'this stream is not read: too much is waiting on it';
  return new OverloadError({ what, retryAfterMs: 1000 });
}
