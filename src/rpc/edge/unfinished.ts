import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { status as Code } from '@grpc/grpc-js';
import type { Clock, Timer } from '../../core/clock.js';

export interface UnfinishedLimits {
  /** Longest until a request is whole. */
  readonly longestMs: number;
  /** How many requests may be under way, over all connections; a quarter of them on one. */
  readonly most: number;
}

/** Bytes of all unfinished requests together. */
const mostBytes = 64 * 1024 * 1024;
const shareOfConnection = 0.25;
const lookEveryMs = 250;

interface Request {
  readonly sinceMs: number;
  readonly session: ServerHttp2Session;
  bytes: number;
}

/**
 * Calls whose request has begun and is not whole. grpc-js waits for the rest without end, and
 * shows such a call to nobody: so it has no deadline and no place in admission. Nearly every
 * request comes whole in one turn of the event loop, and costs a look at its end.
 */
export class UnfinishedRequests {
  /** The oldest first. */
  readonly #requests = new Map<ServerHttp2Stream, Request>();
  readonly #ofSession = new WeakMap<ServerHttp2Session, number>();
  #bytes = 0;
  #fresh: ServerHttp2Stream[] = [];
  #look: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly limits: UnfinishedLimits,
    /** Paths of calls that admission sees at their beginning: streams of requests. */
    private readonly exempt: ReadonlySet<string>,
  ) {}

  begun(stream: ServerHttp2Stream, path: unknown): void {
    if (this.exempt.has(String(path)) || stream.endAfterHeaders) return;
    if (this.#fresh.push(stream) === 1) setImmediate(this.#endOfTurn);
  }

  stop(): void {
    this.#look?.cancel();
    this.#look = undefined;
  }

  readonly #endOfTurn = (): void => {
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const stream of fresh) if (!isOver(stream)) this.#add(stream);
  };

  #add(stream: ServerHttp2Stream): void {
    const { session } = stream;
    if (!session) return;
    const { most } = this.limits;
    const ofSession = this.#ofSession.get(session as ServerHttp2Session) ?? 0;
    if (this.#requests.size >= most || ofSession >= Math.ceil(most * shareOfConnection)) {
      refuse(stream, Code.RESOURCE_EXHAUSTED, 'too many requests are not finished');
      return;
    }
    const request = { sinceMs: this.clock.monotonic(), session, bytes: 0 } as Request;
    this.#requests.set(stream, request);
    this.#ofSession.set(request.session, ofSession + 1);
    const forget = () => this.#forget(stream);
    stream.on('data', (chunk: Buffer) => this.#grow(request, chunk.length));
    stream.once('end', forget);
    stream.once('close', forget);
    this.#look ??= this.clock.schedule(lookEveryMs, this.#endOld, { unref: true });
  }

  #forget(stream: ServerHttp2Stream): void {
    const request = this.#requests.get(stream);
    if (!request) return;
    this.#requests.delete(stream);
    this.#bytes -= request.bytes;
    const left = (this.#ofSession.get(request.session) ?? 1) - 1;
    this.#ofSession.set(request.session, left);
  }

  #grow(request: Request, bytes: number): void {
    request.bytes += bytes;
    this.#bytes += bytes;
    if (this.#bytes > mostBytes) this.#cutOldest();
  }

  readonly #endOld = (): void => {
    this.#look = undefined;
    const now = this.clock.monotonic();
    for (const [stream, { sinceMs }] of this.#requests) {
      if (now - sinceMs < this.limits.longestMs) break;
      const why = `the request was not finished within ${this.limits.longestMs} ms`;
      this.#end(stream, Code.DEADLINE_EXCEEDED, why);
    }
    if (this.#requests.size > 0) {
      this.#look = this.clock.schedule(lookEveryMs, this.#endOld, { unref: true });
    }
  };

  #cutOldest(): void {
    for (const [stream, { bytes }] of this.#requests) {
      if (bytes === 0) continue;
      this.#end(stream, Code.RESOURCE_EXHAUSTED, 'too much of unfinished requests');
      return;
    }
  }

  #end(stream: ServerHttp2Stream, code: Code, message: string): void {
    this.#forget(stream);
    refuse(stream, code, message);
  }
}

const isOver = (stream: ServerHttp2Stream): boolean =>
  stream.readableEnded || stream.closed || stream.destroyed;

/** Answers with a status alone, as gRPC has it, and ends the stream in both directions. */
function refuse(stream: ServerHttp2Stream, code: Code, message: string): void {
  if (stream.closed || stream.destroyed) return;
  if (!stream.headersSent) {
    const status = { 'grpc-status': code, 'grpc-message': encodeURI(message) };
    const headers = { ':status': 200, 'content-type': 'application/grpc+proto', ...status };
    stream.respond(headers, { endStream: true });
  }
  stream.close(constants.NGHTTP2_NO_ERROR);
}
