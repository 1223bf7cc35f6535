import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { type Clock, sleep } from '../../core/clock.js';
import { OverloadError } from '../../core/errors.js';
import { atEndOfTurn } from '../../core/turn-batch.js';
import type { CallPath } from '../call-path.js';

/** Messages that may wait for a peer that does not read, before it is cut off. */
const largestBacklog = 1024;
/** Messages of a download that wait for its peer: Node's streams would let 16 wait, 4 MiB. */
const mostUnread = 2;

export interface SendQueueOptions {
  readonly stream: Writable;
  readonly path: CallPath;
  readonly clock: Clock;
  /** Longest a peer may read nothing. */
  readonly stallMs: number;
  /** Called when the peer has taken a message of `sendWhenTaken`. */
  readonly onMoved?: () => void;
}

/**
 * The outgoing side of a stream, bounded: grpc-js itself would queue without end. A peer
 * that reads nothing for `stallMs`, or lets too many messages wait, is cut off. Messages
 * of one turn of the event loop go out together at its end.
 */
export class SendQueue<Message> {
  readonly #stream: Writable;
  /** Messages of this turn. */
  #outgoing: Message[] = [];
  #latest: Message | undefined;
  #isToFlush = false;
  /** Messages that the peer has not taken yet, those of this turn included. */
  #waiting = 0;
  /** Monotonic time at which the peer last took a message, or the first began to wait. */
  #movedAtMs = 0;
  /** Messages of `sendWhenTaken` that the peer has not taken, and who waits for that. */
  #unread = 0;
  #onTaken = () => {};

  constructor(private readonly options: SendQueueOptions) {
    this.#stream = options.stream;
  }

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
   * Queues a message that replaces earlier ones of its kind: of those queued in one turn
   * of the event loop, or since the peer last took a message, only the last is sent.
   *
   * @throws OverloadError when the peer has not been reading
   */
  sendLatest(message: Message): void {
    if (this.#isOver) return;
    this.#latest = message;
    if (this.#isBehind) this.#expectReader();
    else this.#flushSoon();
  }

  /** Resolves once the stream takes another message, or is gone (no drain comes after that). */
  async sendWhenTaken(message: Message): Promise<void> {
    if (this.#stream.destroyed) return;
    this.#unread++;
    const hasRoom = this.#stream.write(message, this.#moved);
    this.options.path.sending?.(this.#stream);
    if (hasRoom && this.#unread < mostUnread) return;
    this.#movedAtMs = this.options.clock.monotonic();
    const over = new AbortController();
    const { signal } = over;
    try {
      await Promise.race([
        this.#taking(signal),
        once(this.#stream, 'close', { signal }),
        this.#stalled(signal),
      ]);
    } finally {
      over.abort();
    }
  }

  /** Resolves when fewer messages wait for the peer. */
  #taking(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#onTaken = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  readonly #moved = (): void => {
    this.#unread--;
    this.#onTaken();
    this.#movedAtMs = this.options.clock.monotonic();
    this.options.onMoved?.();
  };

  /** Throws when the peer takes nothing for too long: a slow one takes something now and then. */
  async #stalled(signal: AbortSignal): Promise<never> {
    const { clock, stallMs } = this.options;
    for (;;) {
      const leftMs = this.#movedAtMs + stallMs - clock.monotonic();
      if (leftMs <= 0) throw notRead();
      await sleep(clock, leftMs, signal);
    }
  }

  get #isOver(): boolean {
    return this.#stream.writableEnded || this.#stream.destroyed;
  }

  #expectReader(): void {
    if (this.#waiting === 0) return;
    const stalledMs = this.options.clock.monotonic() - this.#movedAtMs;
    if (this.#waiting >= largestBacklog || stalledMs > this.options.stallMs) throw notRead();
  }

  /** Whether messages of earlier turns still wait for the peer. */
  get #isBehind(): boolean {
    return this.#waiting > this.#outgoing.length;
  }

  #add(message: Message): void {
    if (this.#waiting++ === 0) this.#movedAtMs = this.options.clock.monotonic();
    this.#outgoing.push(message);
  }

  #flushSoon(): void {
    if (this.#isToFlush) return;
    this.#isToFlush = true;
    atEndOfTurn(this.#endTurn);
  }

  /** Sends all that waits, before the stream ends: the latest too, however far behind its peer is. */
  finish(): void {
    this.#takeLatest();
    this.#flush();
  }

  #takeLatest(): void {
    if (this.#latest === undefined) return;
    this.#add(this.#latest);
    this.#latest = undefined;
  }

  #flush(): void {
    if (this.#outgoing.length === 0 || this.#isOver) return;
    const messages = this.#outgoing;
    this.#outgoing = [];
    this.options.path.send(this.#stream, messages, () => this.#taken(messages.length));
  }

  readonly #endTurn = (): void => {
    this.#isToFlush = false;
    if (!this.#isBehind) this.#takeLatest();
    this.#flush();
  };

  #taken(count: number): void {
    this.#waiting -= count;
    if (this.#waiting > 0) this.#movedAtMs = this.options.clock.monotonic();
    if (this.#latest !== undefined && !this.#isBehind) this.#flushSoon();
  }
}

function notRead(): OverloadError {
  const what = 'this stream is not read: too much is waiting on it';
  return new OverloadError({ what, retryAfterMs: 1000 });
}
