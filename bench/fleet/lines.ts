import { type ClientHttp2Session, connect } from 'node:http2';

/** Connections that many streams share, each made when it is first used or was lost. */
export class Lines {
  readonly #sessions: (ClientHttp2Session | undefined)[];

  constructor(
    private readonly address: string,
    count: number,
  ) {
    this.#sessions = Array.from({ length: count });
  }

  /** The one for the stream of this index. */
  of(index: number): ClientHttp2Session {
    const place = index % this.#sessions.length;
    const known = this.#sessions[place];
    if (known && !known.closed && !known.destroyed) return known;
    const session = connect(`http://${this.address}`);
    session.on('error', () => {}); // its streams hear of it, and their bots come again
    this.#sessions[place] = session;
    return session;
  }

  close(): void {
    for (const session of this.#sessions) session?.destroy();
  }
}
