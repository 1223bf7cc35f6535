import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { BotServiceService } from '../../src/gen/pandafuzz/v1/bot_service.js';
import { HeartbeatRequest, HeartbeatResponse } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { Frames } from '../../src/rpc/streams/frames.js';

export type Sent = NonNullable<HeartbeatRequest['message']>;
export type Received = NonNullable<HeartbeatResponse['message']>;

/** A message as gRPC sends it: one byte "not compressed", four bytes of length, the message. */
export function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/**
 * A heartbeat stream straight on Node's HTTP/2. A client of grpc-js works about
 * as much as the server it calls, and would be the limit of every figure.
 */
export class HeartbeatWire {
  readonly #stream: ClientHttp2Stream;
  readonly #frames = new Frames(Number.POSITIVE_INFINITY);
  #unsent: Uint8Array[] = [];

  constructor(
    session: ClientHttp2Session,
    private readonly receive: (message: Received) => void,
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

  /** Messages of one turn of the event loop go out together. */
  send(message: Sent): void {
    if (this.#unsent.length === 0) queueMicrotask(() => this.#flush());
    this.#unsent.push(framed(HeartbeatRequest.encode({ message }).finish()));
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
      if (message) this.receive(message);
    }
  }
}
