import { Writable } from 'node:stream';
import { status as Code, Metadata, type StatusObject } from '@grpc/grpc-js';
import type { SignedInBy } from '../access.js';
import type { Exchange } from './exchange.js';

export interface CallOptions extends Exchange {
  readonly read: () => unknown;
  /** Writes one message of a stream, and calls back when its peer has taken it. */
  readonly write?: (message: unknown, onTaken: () => void) => void;
  /** Called when a stream is to end, before its last messages are taken. */
  readonly ending?: (code: Code) => void;
  /** Ends a stream, well or not. */
  readonly end?: (status: Partial<StatusObject>) => void;
}

/** Headers that the adapter looks at. */
const metadataOf = ['authorization', 'traceparent'];

/**
 * A call over HTTP as the adapter sees those of gRPC: it is the same to the handlers, to
 * deadlines, admission and access. Messages that are written wait as in grpc-js.
 */
export class ConnectCall extends Writable {
  cancelled = false;
  readonly signedIn: SignedInBy;
  readonly connection: object;
  readonly metadata = new Metadata();
  #status: Partial<StatusObject> | undefined;

  constructor(private readonly options: CallOptions) {
    super({ objectMode: true });
    this.signedIn = options.signedIn;
    this.connection = options.request.socket;
    const { headers } = options.request;
    for (const name of metadataOf) {
      const value = headers[name];
      if (typeof value === 'string') this.metadata.set(name, value);
    }
    // An adapter refuses a stream by this event, as grpc-js has it.
    this.on('error', (status: Partial<StatusObject>) => this.#end(status));
    options.gone.addEventListener('abort', () => this.#over(), { once: true });
  }

  /** Decoded when a handler asks for it: after admission, and for those only who may call. */
  get request(): unknown {
    return this.options.read();
  }

  getPath(): string {
    return this.options.path;
  }

  getPeer(): string {
    const { remoteAddress, remotePort } = this.options.request.socket;
    return `${remoteAddress}:${remotePort}`;
  }

  getDeadline(): number {
    return this.options.deadlineMs;
  }

  /** The stream ends well, once its peer has taken all messages. */
  override end(trailers?: unknown): this {
    this.#end({ code: Code.OK, ...(trailers instanceof Metadata && { metadata: trailers }) });
    return this;
  }

  override _write(message: unknown, _encoding: string, onTaken: () => void): void {
    this.options.write?.(message, onTaken);
  }

  override _final(done: () => void): void {
    if (this.#status) this.options.end?.(this.#status);
    done();
  }

  #end(status: Partial<StatusObject>): void {
    if (this.#status) return;
    this.#status = status;
    this.options.ending?.(status.code ?? Code.UNKNOWN);
    super.end();
  }

  /** A call that has not been answered by now never is. */
  #over(): void {
    this.cancelled = true;
    this.emit('cancelled', 'cancelled');
    this.destroy();
  }
}
