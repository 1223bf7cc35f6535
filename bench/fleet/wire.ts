import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { BotServiceService } from '../../src/gen/pandafuzz/v1/bot_service.js';
import { HeartbeatRequest, HeartbeatResponse } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { Frames } from '../../src/rpc/streams/frames.js';

export type Said = NonNullable<HeartbeatRequest['message']>;
export type Heard = NonNullable<HeartbeatResponse['message']>;

/** Before every message: one byte "not compressed", four bytes of length. */
const prefixBytes = 5;

/**
 * A heartbeat stream straight on Node's HTTP/2. A client of grpc-js works about
 * as much as the server it calls, and would be what is measured.
 */
export class HeartbeatWire {
  readonly #stream: ClientHttp2Stream;
  readonly #frames = new Frames(Number.POSITIVE_INFINITY);
  #unsent: Uint8Array[] = [];

  constructor(
    session: ClientHttp2Session,
    private readonly hear: (message: Heard) => void,
    onEnd: () => void,
  ) {
    this.#stream = session.request({
      ':method': 'POST',
      ':path': BotServiceService.heartbeat.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    this.#stream.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#stream.on('error', () => {}); // its close follows
    this.#stream.once('close', onEnd);
  }

  /** What is said in one turn of the event loop goes out together. */
  say(message: Said): void {
    const body = HeartbeatRequest.encode({ message }).finish();
    const prefix = Buffer.alloc(prefixBytes);
    prefix.writeUInt32BE(body.length, 1);
    if (this.#unsent.length === 0) queueMicrotask(() => this.#flush());
    this.#unsent.push(prefix, body);
  }

  close(): void {
    this.#stream.destroy();
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#unsent);
    this.#unsent = [];
    if (!this.#stream.destroyed) this.#stream.write(bytes);
  }

  #take(chunk: Buffer): void {
    this.#frames.add(chunk);
    for (let bytes = this.#frames.next(); bytes; bytes = this.#frames.next()) {
      const { message } = HeartbeatResponse.decode(bytes);
      if (message) this.hear(message);
    }
  }
}
