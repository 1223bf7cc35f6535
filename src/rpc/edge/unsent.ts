import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Clock, Timer } from '../../core/clock.js';
import { streamOf } from '../beneath/shapes.js';
import type { CallPath } from '../call-path.js';

export interface UnsentLimits {
  /** Longest that a peer may take nothing of an answer. */
  readonly stallMs: number;
  /** Bytes that may wait to be sent, over all connections. */
  readonly mostBytes: number;
}

const lookEveryMs = 250;
/** Time for a stream that was ended to close; its connection takes nothing at all otherwise. */
const lingerMs = 1000;

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
  #fresh: [stream: ServerHttp2Stream, isTimed: boolean][] = [];
  readonly #waiting = new Map<ServerHttp2Stream, Waiting>();
  #bytes = 0;
  #look: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly limits: UnsentLimits,
  ) {}

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Calls of which something waits. */
  get calls(): number {
    return this.#waiting.size;
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
    if (stream && this.#fresh.push([stream, isTimed]) === 1) setImmediate(this.#endOfTurn);
  }

  readonly #endOfTurn = (): void => {
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const [stream, isTimed] of fresh) {
      if (stream.writableLength > 0 && !stream.destroyed) this.#add(stream, isTimed);
    }
    for (const stream of this.#waiting.keys()) {
      if (this.#bytes <= this.limits.mostBytes) break;
      this.#end(stream);
    }
  };

  /** Those that have moved last are last. */
  #add(stream: ServerHttp2Stream, isTimed: boolean): void {
    const before = this.#waiting.get(stream);
    const bytes = stream.writableLength;
    this.#bytes += bytes - (before?.bytes ?? 0);
    if (before) {
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

  #lookAt(stream: ServerHttp2Stream, waiting: Waiting, now: number): void {
    const bytes = stream.destroyed ? 0 : stream.writableLength;
    if (bytes === 0) {
      this.#bytes -= waiting.bytes;
      this.#waiting.delete(stream);
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

  /** Its bytes count until the stream has closed. */
  #end(stream: ServerHttp2Stream): void {
    const waiting = this.#waiting.get(stream);
    if (!waiting || waiting.endedAtMs !== undefined) return;
    waiting.endedAtMs = this.clock.monotonic();
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}
