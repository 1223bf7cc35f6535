import { constants } from 'node:http2';
import type { Clock, Timer } from '../../core/clock.js';
import { streamOf } from '../beneath/shapes.js';
import type { CallPath } from '../call-path.js';

export interface UnsentLimits {
  /** Longest that a peer may take nothing of an answer. */
  readonly stallMs: number;
  /** Bytes that may wait to be sent, over all connections. */
  readonly mostBytes: number;
}

/** Calls of which something may wait, however little: looking at all of them takes a few ms. */
const mostCalls = 20_000;
const lookEveryMs = 250;
/** Time for a stream that was ended to close; its connection takes nothing at all otherwise. */
const lingerMs = 1000;

/** What an answer leaves by: a stream of HTTP/2, or a response of HTTP/1.1. */
export interface Outgoing {
  readonly writableLength: number;
  readonly destroyed: boolean;
  readonly session?: { destroy(): void } | undefined;
  close(code: number): void;
}

interface Waiting {
  bytes: number;
  /** Monotonic time of the last move. */
  movedAtMs: number;
  /** The stream has no other clock. */
  readonly isTimed: boolean;
  endedAtMs: number | undefined;
}

/**
 * Answers and parts of downloads that peers have not taken yet. grpc-js and Node keep them
 * without end for a peer that does not read, and without a bound for many of them. A peer that
 * takes nothing of an answer for too long loses its call; beyond the bound the one that has
 * taken nothing for longest does. Nearly all answers leave in the turn that wrote them, and
 * cost a look at its end.
 *
 * Messages on heartbeat streams are not among them: those streams have a bound of their own
 * (streams/send-queue.ts).
 */
export class Unsent {
  #fresh: [stream: Outgoing, isTimed: boolean][] = [];
  readonly #waiting = new Map<Outgoing, Waiting>();
  #bytes = 0;
  /** Of these, what is being ended. */
  readonly #ending = { bytes: 0, calls: 0 };
  #look: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly limits: UnsentLimits,
  ) {}

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  stop(): void {
    this.#look?.cancel();
    this.#look = undefined;
  }

  /** The same path, with what it writes watched. */
  over(path: CallPath): CallPath {
    return {
      ...path,
      answer: (call, answer, callback) => {
        path.answer(call, answer, callback);
        this.#wrote(call, true);
      },
      sending: (stream) => this.#wrote(stream, false),
    };
  }

  #wrote(call: object, isTimed: boolean): void {
    const stream = streamOf(call);
    if (stream) this.watch(stream, isTimed);
  }

  /** To be called when something was written. `isTimed`: the stream has no other clock. */
  watch(stream: Outgoing, isTimed: boolean): void {
    if (this.#fresh.push([stream, isTimed]) === 1) setImmediate(this.#endOfTurn);
  }

  readonly #endOfTurn = (): void => {
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const [stream, isTimed] of fresh) {
      if (stream.writableLength > 0 && !stream.destroyed) this.#add(stream, isTimed);
    }
    for (const stream of this.#waiting.keys()) {
      if (!this.#isTooMuch) break;
      this.#end(stream);
    }
  };

  /** Besides what is being ended. */
  get #isTooMuch(): boolean {
    const bytes = this.#bytes - this.#ending.bytes;
    const calls = this.#waiting.size - this.#ending.calls;
    return bytes > this.limits.mostBytes || calls > mostCalls;
  }

  /** Those that have moved last are last. */
  #add(stream: Outgoing, isTimed: boolean): void {
    const before = this.#waiting.get(stream);
    const bytes = stream.writableLength;
    this.#bytes += bytes - (before?.bytes ?? 0);
    if (before) {
      if (before.endedAtMs !== undefined) this.#ending.bytes += bytes - before.bytes;
      before.bytes = bytes;
      return;
    }
    const movedAtMs = this.clock.monotonic();
    this.#waiting.set(stream, { bytes, movedAtMs, isTimed, endedAtMs: undefined });
    this.#look ??= this.clock.schedule(lookEveryMs, this.#lookAtAll, { unref: true });
  }

  readonly #lookAtAll = (): void => {
    this.#look = undefined;
    const now = this.clock.monotonic();
    for (const [stream, waiting] of this.#waiting) this.#lookAt(stream, waiting, now);
    if (this.#waiting.size > 0) {
      this.#look = this.clock.schedule(lookEveryMs, this.#lookAtAll, { unref: true });
    }
  };

  #lookAt(stream: Outgoing, waiting: Waiting, now: number): void {
    const bytes = stream.destroyed ? 0 : stream.writableLength;
    if (bytes === 0) {
      this.#forget(stream, waiting);
      return;
    }
    if (waiting.endedAtMs !== undefined) {
      if (now - waiting.endedAtMs >= lingerMs) stream.session?.destroy();
      return;
    }
    if (bytes !== waiting.bytes) {
      if (bytes < waiting.bytes) {
        waiting.movedAtMs = now;
        this.#waiting.delete(stream);
        this.#waiting.set(stream, waiting);
      }
      this.#bytes += bytes - waiting.bytes;
      waiting.bytes = bytes;
    }
    if (waiting.isTimed && now - waiting.movedAtMs >= this.limits.stallMs) this.#end(stream);
  }

  #forget(stream: Outgoing, { bytes, endedAtMs }: Waiting): void {
    this.#waiting.delete(stream);
    this.#bytes -= bytes;
    if (endedAtMs === undefined) return;
    this.#ending.bytes -= bytes;
    this.#ending.calls -= 1;
  }

  /** Its bytes count until the stream has closed. */
  #end(stream: Outgoing): void {
    const waiting = this.#waiting.get(stream);
    if (!waiting || waiting.endedAtMs !== undefined) return;
    waiting.endedAtMs = this.clock.monotonic();
    this.#ending.bytes += waiting.bytes;
    this.#ending.calls += 1;
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}
