import { Turns } from '../../core/turns.js';
import { unzipped } from './compression.js';
import { tooMany } from './refusal.js';

/** Messages that are inflated at the same time: half of zlib's threads, which others need, too. */
const mostAtOnce = 2;
/** Messages that wait for their turn. */
const mostWaiting = 1000;
/** Bytes of messages whose calls are open, as they came and as they became, over all calls. */
const mostHeldBytes = 64 * 1024 * 1024;

/**
 * The messages of calls, within bounds: a body of 600 bytes may become `longest`, and requests
 * may come one behind another on a connection, of which none waits for an answer.
 */
export class Messages {
  #heldBytes = 0;
  readonly #turns = new Turns(mostAtOnce);

  /** @param longest message, bytes */
  constructor(private readonly longest: number) {}

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Counts a message until its call is over. @throws Refusal, and the reason of `gone` */
  hold(message: Buffer, gone: AbortSignal): Buffer {
    gone.throwIfAborted();
    const { length } = message;
    if (this.#heldBytes + length > mostHeldBytes) throw tooMany('too many messages are held');
    this.#heldBytes += length;
    const release = () => {
      this.#heldBytes -= length;
    };
    gone.addEventListener('abort', release, { once: true });
    return message;
  }

  /** What a compressed message becomes, when it is its turn. @throws Refusal, and the reason of `gone` */
  async inflated(message: Buffer, gone: AbortSignal): Promise<Buffer> {
    if (this.#turns.waiting >= mostWaiting) throw tooMany('too many compressed messages wait');
    return await this.#turns.run(gone, async () => {
      gone.throwIfAborted();
      if (this.#heldBytes >= mostHeldBytes) throw tooMany('too many messages are held');
      return this.hold(await unzipped(message, this.longest), gone);
    });
  }
}
