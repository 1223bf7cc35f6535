import { CallerGone } from './body.js';
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
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param longest message, bytes */
  constructor(private readonly longest: number) {}

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Counts a message until its call is over. @throws Refusal, CallerGone */
  hold(message: Buffer, gone: AbortSignal): Buffer {
    if (gone.aborted) throw new CallerGone();
    const { length } = message;
    if (this.#heldBytes + length > mostHeldBytes) throw tooMany('too many messages are held');
    this.#heldBytes += length;
    const release = () => {
      this.#heldBytes -= length;
    };
    gone.addEventListener('abort', release, { once: true });
    return message;
  }

  /** What a compressed message becomes, when it is its turn. @throws Refusal, CallerGone */
  async inflated(message: Buffer, gone: AbortSignal): Promise<Buffer> {
    if (this.#underWay < mostAtOnce) this.#underWay++;
    else await this.#turn();
    try {
      if (gone.aborted) throw new CallerGone();
      if (this.#heldBytes >= mostHeldBytes) throw tooMany('too many messages are held');
      return this.hold(await unzipped(message, this.longest), gone);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#underWay--;
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= mostWaiting) throw tooMany('too many compressed messages wait');
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
