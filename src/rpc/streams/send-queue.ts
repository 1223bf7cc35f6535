import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { type Clock, sleep } from '../../core/clock.js';
import { OverloadError } from '../../core/errors.js';
import { atEndOfTurn } from '../../core/turn-batch.js';
import { sendMessages } from '../beneath/http2.js';

/** Messages that may wait for a peer that does not read, before it is cut off. */
const largestBacklog = 1024;

/**
 * The outgoing side of a stream, bounded: grpc-js itself would queue without
 * end. Who reads nothing for `stallMs`, or lets too much pile up, is cut off.
 * What is sent in one turn of the event loop goes out at its end, in one write.
 */
export class SendQueue<Message> {
  /** Of this turn. */
  #outgoing: Message[] = [];
  #latest: Message | undefined;
  #isToFlush = false;
  /** Messages that the peer has not taken yet, those of this turn included. */
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
    this.#add(message);
    this.#flushSoon();
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
    if (this.#isBehind) this.#expectReader();
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

  /** The peer has not taken what was sent in earlier turns. */
  get #isBehind(): boolean {
    return this.#waiting > this.#outgoing.length;
  }

  #add(message: Message): void {
    if (this.#waiting++ === 0) this.#movedAtMs = this.clock.monotonic();
    this.#outgoing.push(message);
  }

  #flushSoon(): void {
    if (this.#isToFlush) return;
    this.#isToFlush = true;
    atEndOfTurn(this.#endTurn);
  }

  /** Sends what was only to be sent at the end of this turn. */
  flush(): void {
    if (this.#latest !== undefined && !this.#isBehind) {
      this.#add(this.#latest);
      this.#latest = undefined;
    }
    if (this.#outgoing.length === 0 || this.#isOver) return;
    const messages = this.#outgoing;
    this.#outgoing = [];
    sendMessages(this.stream, messages, () => this.#taken(messages.length));
  }

  readonly #endTurn = (): void => {
    this.#isToFlush = false;
    this.flush();
  };

  #taken(count: number): void {
    this.#waiting -= count;
    if (this.#waiting > 0) this.#movedAtMs = this.clock.monotonic();
    if (this.#latest !== undefined && !this.#isBehind) this.#flushSoon();
  }
}

function notRead(): OverloadError {
  const what = 'this stream is not read: too much is waiting on it';
  return new OverloadError({ what, retryAfterMs: 1000 });
}
