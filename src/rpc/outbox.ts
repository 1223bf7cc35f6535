import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { OverloadError } from '../core/errors.js';

/** Messages that may wait for a peer that does not read, before it is cut off. */
const largestBacklog = 1024;

/** The outgoing side of a stream, bounded: grpc-js itself would queue without end. */
export class Outbox<Message> {
  constructor(private readonly stream: Writable) {}

  /**
   * Queues a message.
   *
   * @throws OverloadError when the peer has not been reading for too long
   */
  send(message: Message): void {
    if (this.stream.writableEnded || this.stream.destroyed) return;
    if (this.stream.writableLength >= largestBacklog) {
      const what = 'this stream is not read: too many messages are waiting on it';
      throw new OverloadError({ what, retryAfterMs: 1000 });
    }
    this.stream.write(message);
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
      ]);
    } finally {
      over.abort();
    }
  }
}
