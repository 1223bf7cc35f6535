import { constants, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../core/clock.js';
import { RateLimit } from '../../core/rate-limit.js';

/**
 * The accepted connections, from the socket on: what Node and grpc-js do not bound.
 *
 * - One on which no call is open is closed after a while, sooner if it has not even begun to
 *   speak HTTP/2.
 * - One that opens calls to reset them at once (CVE-2023-44487) is closed. Calls that reach
 *   their deadline have been open for longer, and may be many.
 * - All are destroyed at the end of a stop: a peer that is gone never closes its own.
 */
export interface ConnectionTimes {
  /** Longest without an open call. */
  readonly idleMs: number;
}

/** Longest until a connection speaks HTTP/2, milliseconds; a handshake takes a round trip. */
const greetingMs = 20_000;
/** A reset of a call that has been open for less is rapid: too soon for any deadline of use. */
const rapidMs = 50;
/**
 * Rapid resets at once, and in each second after that. A client that gives up thousands of
 * calls together has done nothing wrong; one that goes on is cut off.
 */
const rapidResets = { atOnce: 4000, perSecond: 200 };
/** How often the oldest connections are looked at, milliseconds. */
const lookEveryMs = 250;
/** Time for the last answers to leave before sockets are destroyed, milliseconds. */
const lingerMs = 200;

interface Line {
  readonly session: ServerHttp2Session;
  readonly resets: RateLimit;
  isCut: boolean;
  openCalls: number;
  /** Since when no call is open. */
  idleSinceMs: number;
}

export class Connections {
  readonly #sockets = new Set<Socket>();
  /** Those that have not begun to speak, the oldest first. */
  readonly #silent = new Map<ServerHttp2Session, Line>();
  /** Those without an open call, the longest idle first. */
  readonly #idle = new Map<ServerHttp2Session, Line>();
  readonly #lines = new WeakMap<ServerHttp2Session, Line>();
  #openCalls = 0;
  #look: Timer | undefined;
  #lastAnswers: Timer | undefined;
  #isStopping = false;

  constructor(
    private readonly clock: Clock,
    private readonly times: ConnectionTimes,
  ) {}

  /** A socket is owned until it closes. */
  own(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  watch(servers: readonly Http2Server[]): void {
    for (const server of servers) {
      server.on('session', (session: ServerHttp2Session) => this.#begin(session));
      server.on('stream', (stream) => {
        const line = stream.session && this.#lines.get(stream.session as ServerHttp2Session);
        if (!line) return;
        this.#opened(line);
        const openedAtMs = this.clock.monotonic();
        // Not 'aborted', which is not emitted for a call that grpc-js reads.
        stream.once('close', () => {
          this.#closed(line);
          if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) this.#reset(line, openedAtMs);
        });
      });
    }
    this.#lookSoon();
  }

  /** Destroys all connections soon after their last call has ended. */
  endAfterCalls(): void {
    this.#isStopping = true;
    this.#endIfQuiet();
  }

  /** Destroys all connections. */
  destroy(): void {
    this.#isStopping = true;
    this.#look?.cancel();
    this.#lastAnswers?.cancel();
    for (const socket of this.#sockets) socket.destroy();
  }

  #begin(session: ServerHttp2Session): void {
    const resets = new RateLimit(rapidResets, this.clock);
    const line = {
      session,
      resets,
      isCut: false,
      openCalls: 0,
      idleSinceMs: this.clock.monotonic(),
    };
    this.#lines.set(session, line);
    this.#silent.set(session, line);
    this.#idle.set(session, line);
    session.once('remoteSettings', () => this.#silent.delete(session));
    session.once('close', () => {
      this.#silent.delete(session);
      this.#idle.delete(session);
    });
  }

  #opened(line: Line): void {
    this.#openCalls++;
    if (line.openCalls++ === 0) this.#idle.delete(line.session);
  }

  #closed(line: Line): void {
    this.#openCalls--;
    if (--line.openCalls === 0 && !line.session.destroyed) {
      line.idleSinceMs = this.clock.monotonic();
      this.#idle.set(line.session, line);
    }
    if (this.#isStopping) this.#endIfQuiet();
  }

  #reset(line: Line, openedAtMs: number): void {
    if (this.clock.monotonic() - openedAtMs > rapidMs || line.resets.take()) return;
    const { session } = line;
    if (line.isCut || session.destroyed) return;
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    // Not within the read in which it was found: the rest of that is then answered with nothing.
    setImmediate(() => session.destroy());
    line.isCut = true;
  }

  #endIfQuiet(): void {
    if (this.#openCalls > 0 || this.#lastAnswers) return;
    this.#lastAnswers = this.clock.schedule(lingerMs, () => {
      this.#lastAnswers = undefined;
      if (this.#openCalls === 0) this.destroy();
    });
  }

  #lookSoon(): void {
    this.#look = this.clock.schedule(
      lookEveryMs,
      () => {
        this.#closeBefore(this.#silent, Math.min(greetingMs, this.times.idleMs));
        this.#closeBefore(this.#idle, this.times.idleMs);
        this.#lookSoon();
      },
      { unref: true },
    );
  }

  #closeBefore(lines: Map<ServerHttp2Session, Line>, longestMs: number): void {
    const now = this.clock.monotonic();
    for (const [session, { idleSinceMs }] of lines) {
      if (now - idleSinceMs < longestMs) return;
      lines.delete(session);
      // GOAWAY and the socket's end; a call that comes now is repeated by its client elsewhere.
      session.destroy();
    }
  }
}
