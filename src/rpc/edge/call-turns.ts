import type { Http2Server, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { goOnReading, stopReading } from '../beneath/reading.js';

/**
 * Calls that begin in one turn of the event loop, over all connections. Each costs about 0.15 ms
 * until it is admitted or refused, and Node hands over in one turn what a connection has sent, up
 * to 2 MiB: many thousands of calls.
 */
const mostInTurn = 128;

type Arrived = [stream: ServerHttp2Stream, ...more: unknown[]];

/** The calls of one connection that wait, and how many of them have had their turn. */
interface Line {
  readonly calls: Arrived[];
  taken: number;
}

/**
 * Lets a bounded number of calls begin in a turn, so that what others send, beats above all, has
 * its turn in between. The rest waits, and connections take turns; nothing more is read from one
 * whose calls wait. A call that its caller has reset by then never begins.
 */
export class CallTurns {
  readonly #lines = new Map<ServerHttp2Session, Line>();
  #begun = 0;
  #isScheduled = false;

  private constructor(private readonly begin: (...call: Arrived) => void) {}

  /** Puts itself before everything that listens to the server's calls by now. */
  static before(server: Http2Server): void {
    const listeners = server.listeners('stream');
    server.removeAllListeners('stream');
    const turns = new CallTurns((...call) => {
      for (const listener of listeners) listener.apply(server, call);
    });
    server.on('stream', (...call) => turns.#arrived(call));
  }

  #arrived(call: Arrived): void {
    this.#soon();
    const [stream] = call;
    const session = stream.session as ServerHttp2Session;
    const line = this.#lines.get(session);
    if (line === undefined && this.#begun < mostInTurn) {
      this.#begun++;
      this.begin(...call);
      return;
    }
    stream.on('error', () => {}); // its end says it
    if (line) {
      line.calls.push(call);
      return;
    }
    this.#lines.set(session, { calls: [call], taken: 0 });
    stopReading(session);
  }

  #soon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#nextTurn);
  }

  readonly #nextTurn = (): void => {
    this.#isScheduled = false;
    this.#begun = 0;
    while (this.#lines.size > 0) {
      for (const [session, line] of this.#lines) {
        if (this.#begun >= mostInTurn) {
          this.#soon();
          return;
        }
        this.#beginOne(line);
        // Whoever had a turn comes after the others, in this turn and in the next.
        this.#lines.delete(session);
        if (line.taken < line.calls.length) this.#lines.set(session, line);
        else goOnReading(session);
      }
    }
  };

  #beginOne(line: Line): void {
    const call = line.calls[line.taken++] as Arrived;
    const [stream] = call;
    if (stream.destroyed || stream.closed) return;
    this.#begun++;
    this.begin(...call);
  }
}
