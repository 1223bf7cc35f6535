import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { atEnd } from '../../harness.js';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a receiver does with a request; "hang" is no answer at all. */
export type Reply = 'hang' | ((response: ServerResponse) => void);

export const status =
  (code: number, headers: Record<string, string> = {}): Reply =>
  (response) =>
    response.writeHead(code, headers).end('noted');

/** What comes, one after the other, for those who wait for it. */
export class Inbox<T> {
  readonly #come: T[] = [];
  readonly #waiting: ((one: T) => void)[] = [];

  put(one: T): void {
    const first = this.#waiting.shift();
    if (first) first(one);
    else this.#come.push(one);
  }

  next(): Promise<T> {
    const first = this.#come.shift();
    return first ? Promise.resolve(first) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** What has come and nobody has taken. */
  get size(): number {
    return this.#come.length;
  }
}

/** A real HTTP server that answers 200, or as a test lays down for the next requests. */
export class Receiver {
  readonly inbox = new Inbox<Received>();
  /** Settles as a connection is closed while its request has no answer. */
  readonly cut = new Inbox<true>();

  private constructor(
    readonly url: string,
    readonly replies: Reply[],
  ) {}

  static async open(...replies: Reply[]): Promise<Receiver> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { url: path = '', headers } = request;
        const reply = receiver.replies.shift() ?? status(200);
        response.on('close', () => response.writableFinished || receiver.cut.put(true));
        if (reply !== 'hang') reply(response);
        receiver.inbox.put({ path, headers, body: Buffer.concat(parts).toString() });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    const { port } = server.address() as AddressInfo;
    const receiver = new Receiver(`http://127.0.0.1:${port}`, replies);
    return receiver;
  }

  next(): Promise<Received> {
    return this.inbox.next();
  }
}
