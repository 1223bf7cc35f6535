import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { backoffMs } from '../../src/core/retry.js';
import type { GoAway, JobDoneRefusal } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { VirtualBot } from './virtual-bot.js';

/** As src/bot/link.ts and src/bot/session.ts have them. */
const backoff = { firstDelayMs: 250, maxDelayMs: 5000, multiplier: 2 } as const;
const goAwaySpreadMs = 1000;
const welcomeTimeoutMs = 10_000;
const answerWithinMs = 5000;
const mostUnanswered = 3;
/** As src/bot/agent.ts has it. */
const keepaliveMs = 300_000;

/** What a member tells its crew. */
export interface MemberEvents {
  /** It is on the line; of the leases it named it could keep so many. */
  welcomed(member: Member, told: { kept: number; abandoned: number }): void;
  left(member: Member): void;
  assigned(lease: Lease): void;
  answered(tookMs: number): void;
}

/**
 * A bot that behaves to its master as ours do, on a connection of its own: it beats
 * as soon as it is welcomed and then when it is asked to, drops what it may not keep,
 * repeats a result when it is asked to, and comes back after a loss, with the same
 * jitter and backoff.
 */
export class Member {
  readonly bot: VirtualBot;
  /** From one beat to the next, milliseconds, whatever the master asks for. */
  ownIntervalMs: number | undefined;
  #socket: Socket | undefined;
  #isWanted = false;
  /** From the attempt to connect until the stream has closed. */
  #isOnLine = false;
  #isWelcomed = false;
  #failures = 0;
  #unanswered = 0;
  #nextBeat: NodeJS.Timeout | undefined;
  #goAway: GoAway | undefined;
  #timer: NodeJS.Timeout | undefined;
  #keepalive: NodeJS.Timeout | undefined;
  readonly #unsettled = new Map<string, (refusal: string | undefined) => void>();

  constructor(
    id: string,
    private readonly addresses: { master: string; own: string },
    private readonly events: MemberEvents,
  ) {
    this.bot = new VirtualBot(id, 1, {
      welcomed: ({ leases }) => {
        const abandoned = leases.filter(({ keep }) => !keep);
        for (const { lease } of abandoned) this.bot.leases.delete(lease?.jobId ?? '');
        clearTimeout(this.#timer);
        this.#isWelcomed = true;
        this.#beat();
        const kept = leases.length - abandoned.length;
        this.events.welcomed(this, { kept, abandoned: abandoned.length });
      },
      assigned: (lease) => this.events.assigned(lease),
      answered: (_, tookMs, nextBeatInMs) => this.#answered(tookMs, nextBeatInMs),
      done: (lease) => this.#settle(lease, undefined),
      refused: (lease, refusal) => this.#refused(lease, refusal),
      sentAway: (goAway) => {
        this.#goAway = goAway;
        this.bot.leave();
      },
      left: () => this.#left(),
    });
  }

  get isWelcomed(): boolean {
    return this.#isWelcomed;
  }

  /** The one lease it has, if it has one. */
  get lease(): Lease | undefined {
    return this.bot.leases.values().next().value;
  }

  /** Comes to the line, and comes back whenever it is lost. */
  come(): void {
    this.#isWanted = true;
    if (!this.#isOnLine) this.#connect();
  }

  /** Its connection is gone from one moment to the next, as when a cable is cut. */
  lose(): void {
    if (this.#socket?.connecting) this.#socket.destroy();
    else this.#socket?.resetAndDestroy();
  }

  /** The same, and it does not come back by itself. */
  vanish(): void {
    this.#isWanted = false;
    clearTimeout(this.#timer);
    this.lose();
  }

  /** On the line, it beats after this long, and then again and again. */
  beatIn(delayMs: number): void {
    clearTimeout(this.#nextBeat);
    if (this.#isWelcomed) this.#nextBeat = setTimeout(() => this.#beat(), delayMs);
  }

  /** @returns why the result is refused for good; undefined once it is on disk */
  finish(lease: Lease): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#unsettled.set(lease.jobId, resolve);
    this.bot.finish(lease);
    return promise;
  }

  #connect(): void {
    clearTimeout(this.#timer);
    const { master, own } = this.addresses;
    const [host, port] = master.split(':');
    const to = { host, port: Number(port), localAddress: own, noDelay: true };
    const socket = connectTcp(to);
    const session = connectHttp2(`http://${master}`, { createConnection: () => socket });
    session.on('error', () => {}); // its stream closes
    this.#keepalive = setInterval(() => session.ping(() => {}), keepaliveMs);
    this.#socket = socket;
    this.#isOnLine = true;
    this.#goAway = undefined;
    this.#timer = setTimeout(() => this.lose(), welcomeTimeoutMs);
    this.bot.connect(session);
  }

  #beat(): void {
    if (this.#unanswered >= mostUnanswered) {
      this.lose();
      return;
    }
    this.#unanswered++;
    this.bot.beat();
    this.beatIn(answerWithinMs);
  }

  #answered(tookMs: number, nextBeatInMs: number): void {
    this.events.answered(tookMs);
    if (this.#unanswered === 0) return;
    this.#unanswered = 0;
    this.beatIn(this.ownIntervalMs ?? nextBeatInMs);
  }

  #left(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#nextBeat);
    this.#unanswered = 0;
    clearInterval(this.#keepalive);
    this.#failures = this.#isWelcomed ? 1 : this.#failures + 1;
    this.#isOnLine = false;
    this.#isWelcomed = false;
    this.#socket?.destroy();
    this.events.left(this);
    if (!this.#isWanted) return;
    const delayMs = this.#goAway
      ? this.#goAway.reconnectAfterMs + Math.random() * goAwaySpreadMs
      : backoffMs(backoff, this.#failures);
    this.#timer = setTimeout(() => this.#connect(), delayMs);
  }

  #refused(lease: Lease, { reason, retryAfterMs }: JobDoneRefusal): void {
    if (retryAfterMs === 0) this.#settle(lease, reason);
    else setTimeout(() => this.bot.finish(lease), retryAfterMs);
  }

  #settle({ jobId }: Lease, refusal: string | undefined): void {
    this.#unsettled.get(jobId)?.(refusal);
    this.#unsettled.delete(jobId);
  }
}
