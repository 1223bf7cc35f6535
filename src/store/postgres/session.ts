import { Socket } from 'node:net';
import pg from 'pg';
import { ConnectionLost, faultOf } from './faults.js';

export interface SessionOptions {
  /** postgres://… */
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  readonly synchronous: 'full' | 'normal';
  /** Of one statement, and of a transaction between two; usually 30 s. */
  readonly longestMs?: number | undefined;
  /** Of a transaction between two statements, if that is to be shorter. */
  readonly idleTimeoutMs?: number | undefined;
}

/** A statement to run; with a name it is prepared once a session. */
export interface Query {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
  /** Rows as arrays, in the order of their columns. */
  readonly rowMode?: 'array';
}

interface Answer {
  /** First words of the command's tag, e.g. "COMMIT". */
  readonly command: string;
  readonly rows: unknown[];
  /** Rows that were returned or changed. */
  readonly rowCount: number | null;
}

/** Longest wait for a connection. */
const connectTimeoutMs = 5_000;
/**
 * Of one statement, in the server: no operation of ours takes a tenth of it. A transaction that
 * waits for its master this long ends, too: the master stands still, or is gone.
 */
const usualLongestMs = 30_000;
/** A server that has not answered by then is not there any more: later than its own timeout. */
const silenceAfterMs = 10_000;
/** Of a session that ends, for what is under way. */
const closeTimeoutMs = 2_000;

/**
 * The server notices within ten seconds that a master's machine is gone (tcp_keepalives), and
 * within one that its process is (client_connection_check_interval), and lets go of its locks.
 */
const settings = ({
  synchronous,
  longestMs = usualLongestMs,
  idleTimeoutMs = longestMs,
}: SessionOptions) => `
  SET synchronous_commit = ${synchronous === 'full' ? 'on' : 'off'};
  SET statement_timeout = ${longestMs};
  SET idle_in_transaction_session_timeout = ${idleTimeoutMs};
  SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;
  SET client_connection_check_interval = 1000;
  SET DateStyle = ISO; SET TimeZone = 'UTC'; SET client_min_messages = warning`;

const int8 = 20;
const types: pg.CustomTypesConfig = {
  // All of ours stay below 2^53.
  getTypeParser: ((oid: number, format?: 'text') =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** A connection to the server until it is lost. Queries go out at once, and run in their order. */
export class Session {
  #lost: Error | undefined;

  private constructor(
    private readonly client: pg.Client,
    private readonly socket: Socket,
  ) {
    client.on('error', (error) => this.#end(error));
    client.on('end', () => this.#end(new Error('the server has closed the connection')));
  }

  /** @throws ConnectionLost, or what else the server says, as faults */
  static async open(options: SessionOptions): Promise<Session> {
    const { url, name, longestMs = usualLongestMs } = options;
    const socket = new Socket();
    const client = new pg.Client({
      stream: () => socket,
      connectionString: url,
      application_name: name,
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: longestMs + silenceAfterMs,
      keepAlive: true,
      pipeline: true,
      types,
    });
    const session = new Session(client, socket);
    try {
      await client.connect();
    } catch (error) {
      session.#end(error);
      throw faultOf(error);
    }
    await session.query({ text: settings(options) });
    return session;
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** @throws PostgresFault; ConnectionLost, after which the session is over */
  async query(query: Query): Promise<Answer> {
    if (this.#lost) throw new ConnectionLost(this.#lost.message);
    try {
      return await this.client.query(query as pg.QueryConfig);
    } catch (error) {
      const fault = faultOf(error);
      if (fault instanceof ConnectionLost) this.#end(error);
      throw fault;
    }
  }

  /** As `query`, for a statement whose failure a later one meets, too. */
  send(query: Query): void {
    this.query(query).catch(() => {});
  }

  /** Ends the session, after what is under way if that ends soon. Idempotent. */
  async close(): Promise<void> {
    this.#lost ??= new Error('the session was closed');
    const timer = setTimeout(() => this.socket.destroy(), closeTimeoutMs);
    try {
      await this.client.end();
    } finally {
      clearTimeout(timer);
    }
  }

  #end(error: unknown): void {
    if (this.#lost) return;
    this.#lost = error instanceof Error ? error : new Error(String(error));
    this.client.end().catch(() => {});
    this.socket.destroy();
  }
}
