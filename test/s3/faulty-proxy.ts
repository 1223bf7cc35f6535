import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What happens to one request. */
export type Fault =
  /** It goes through. */
  | 'none'
  /** 503 SlowDown, as S3 says it; nothing reaches the server. */
  | 'busy'
  /** 403 AccessDenied. */
  | 'forbidden'
  /** 404 with a body that is no S3's. */
  | 'elsewhere'
  /** 200 with a body that is no S3's. */
  | 'nonsense'
  /** The connection is cut before anything reaches the server. */
  | 'cut'
  /** No answer, ever. */
  | 'silent'
  /** The server does it, and its answer is lost. */
  | 'unheard'
  /** The answer stops in the middle, and its connection stays open. */
  | 'stalls'
  /** The answer is cut in the middle. */
  | 'torn'
  /** One byte of the answer's body is another. */
  | 'wrong answer'
  /** One byte of the request's body is another. */
  | 'wrong bytes';

export type Judge = (asked: { method: string; path: string }) => Fault;

/** Stands before a real server, and does to each request what `judge` says. */
export class FaultyProxy {
  judge: Judge = () => 'none';
  /** Requests so far, as "PUT /bucket/key". */
  readonly seen: string[] = [];
  readonly #server = createServer((incoming, answer) => void this.#take(incoming, answer));

  private constructor(private readonly target: URL) {}

  static async before(endpoint: string): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(new URL(endpoint));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next `count` requests that `fits` meet the fault. */
  next(
    fault: Fault,
    count: number,
    fits: (asked: { method: string; path: string }) => boolean,
  ): void {
    let left = count;
    this.judge = (asked) => (left > 0 && fits(asked) && left-- > 0 ? fault : 'none');
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async #take(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = incoming;
    this.seen.push(`${method} ${path}`);
    const fault = this.judge({ method, path });
    incoming.on('error', () => {});
    answer.on('error', () => {});
    if (fault === 'cut') return void incoming.socket.destroy();
    if (fault === 'silent') return void incoming.resume();
    const body = await bodyOf(incoming);
    if (fault === 'busy') return refuse(answer, 503, 'SlowDown');
    if (fault === 'forbidden') return refuse(answer, 403, 'AccessDenied');
    if (fault === 'elsewhere') return void answer.writeHead(404).end('<html>not here</html>');
    if (fault === 'nonsense') return void answer.writeHead(200).end('<html>welcome</html>');
    const { hostname, port } = this.target;
    const sent = request({ hostname, port, method, path, headers: incoming.headers }, (got) =>
      this.#answer(fault, got, answer),
    );
    sent.on('error', () => incoming.socket.destroy());
    sent.end(fault === 'wrong bytes' ? flipped(body) : body);
  }

  async #answer(fault: Fault, got: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = await bodyOf(got);
    if (fault === 'unheard') return void answer.socket?.destroy();
    answer.writeHead(got.statusCode ?? 500, got.headers);
    if (fault === 'stalls' || fault === 'torn') {
      answer.write(body.subarray(0, body.length / 2), () => {
        if (fault === 'torn') answer.socket?.destroy();
      });
      return;
    }
    answer.end(fault === 'wrong answer' ? flipped(body) : body);
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of message) chunks.push(chunk as Buffer);
  } catch {
    // Cut off: what came is all there is.
  }
  return Buffer.concat(chunks);
}

function flipped(body: Buffer): Buffer {
  const other = Buffer.from(body);
  const at = Math.floor(other.length / 2);
  if (other.length > 0) other.writeUInt8(other.readUInt8(at) ^ 0x55, at);
  return other;
}

function refuse(answer: ServerResponse, status: number, code: string): void {
  answer.writeHead(status, { 'content-type': 'application/xml' });
  answer.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
}
