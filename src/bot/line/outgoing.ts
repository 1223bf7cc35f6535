import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Beat, HeartbeatRequest } from '../../gen/pandafuzz/v1/heartbeat.js';

export type Said = NonNullable<HeartbeatRequest['message']>;

/** Messages that may wait for a master that does not read; the largest bot has 1024 slots. */
const mostWaiting = 4096;

/**
 * The one place that writes to a heartbeat stream, in order and no faster than
 * the master reads. A beat is made when it can go out: however many are
 * requested, at most one waits, and it is never old.
 */
export class Outgoing {
  readonly #waiting: Said[] = [];
  #isBlocked = false;
  #isBeatDue = false;
  #isClosed = false;

  constructor(
    private readonly call: Pick<
      ClientDuplexStream<HeartbeatRequest, unknown>,
      'write' | 'end' | 'on'
    >,
    private readonly options: { makeBeat: () => Beat; onOverflow: () => void },
  ) {
    call.on('drain', () => {
      this.#isBlocked = false;
      this.#flush();
    });
  }

  say(message: Said): void {
    this.#waiting.push(message);
    this.#flush();
    if (this.#waiting.length > mostWaiting) this.options.onOverflow();
  }

  beat(): void {
    this.#isBeatDue = true;
    this.#flush();
  }

  /** Nothing waits: the master reads. */
  get isClear(): boolean {
    return this.#waiting.length === 0;
  }

  /** Sends nothing more; messages written before still arrive. */
  end(): void {
    if (!this.#isClosed) this.call.end();
    this.#isClosed = true;
  }

  #flush(): void {
    while (!this.#isBlocked && !this.#isClosed) {
      const message = this.#waiting.shift() ?? this.#dueBeat();
      if (!message) return;
      this.#isBlocked = !this.call.write({ message });
    }
  }

  #dueBeat(): Said | undefined {
    if (!this.#isBeatDue) return undefined;
    this.#isBeatDue = false;
    return { $case: 'beat', value: this.options.makeBeat() };
  }
}
