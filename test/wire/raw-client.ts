import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { Status } from '../../src/gen/google/rpc/status.js';
import { atEnd } from '../endings.js';

/**
 * gRPC by hand, over Node's HTTP/2: says what no client library would, and has
 * no deadline of its own, so that what it is told came from the server.
 */
export class RawClient {
  readonly #session: ClientHttp2Session;

  constructor(
    address: string,
    { localAddress, ...settings }: { initialWindowSize?: number; localAddress?: string } = {},
  ) {
    // Or Node itself would refuse calls of who has said much, in place of the server.
    const maxSessionMemory = 1000; // MB
    const options = { settings, maxSessionMemory, ...(localAddress && { localAddress }) };
    this.#session = connect(`http://${address}`, options);
    this.#session.on('error', () => {}); // each call hears of it by itself
    atEnd(() => this.#session.destroy());
  }

  /** Sends these messages, and nothing after them. */
  call(path: string, messages: readonly Uint8Array[], headers: Record<string, string> = {}) {
    const call = this.open(path, headers);
    for (const message of messages) call.send(message);
    call.end();
    return call.answer;
  }

  /** A stream to be written to as the test likes. */
  open(path: string, headers: Record<string, string> = {}): RawCall {
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    return new RawCall(stream);
  }
}

export interface RawAnswer {
  /** gRPC status; -1 when the stream ended without one. */
  readonly code: number;
  readonly message: string;
  readonly details: Status;
  readonly headers: IncomingHttpHeaders;
  readonly messages: readonly Buffer[];
  /** HTTP/2's code the stream was ended with. */
  readonly resetCode: number;
}

export class RawCall {
  readonly answer: Promise<RawAnswer>;

  constructor(readonly stream: ReturnType<ClientHttp2Session['request']>) {
    let head: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    stream.on('response', (headers) => {
      head = { ...head, ...headers };
    });
    stream.on('trailers', (trailers) => {
      head = { ...head, ...trailers };
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => {}); // told by the code it was reset with
    this.answer = new Promise((resolve) =>
      stream.once('close', () =>
        resolve({
          code: Number(head['grpc-status'] ?? -1),
          message: decodeURIComponent(String(head['grpc-message'] ?? '')),
          details: Status.decode(
            Buffer.from(String(head['grpc-status-details-bin'] ?? ''), 'base64'),
          ),
          headers: head,
          messages: split(Buffer.concat(chunks)),
          resetCode: stream.rstCode ?? 0,
        }),
      ),
    );
  }

  send(message: Uint8Array): boolean {
    return this.stream.write(framed(message));
  }

  end(): void {
    this.stream.end();
  }
}

/** A message as it lies on a stream. */
export function framed(message: Uint8Array, isCompressed = false): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt8(Number(isCompressed));
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

function split(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 1);
    messages.push(bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return messages;
}
