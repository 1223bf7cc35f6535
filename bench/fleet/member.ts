import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { backoffMs } from '../../src/core/retry.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { Latencies } from '../latencies.js';
import { VirtualBot } from './virtual-bot.js';

/** The timings of the real bot, src/bot. */
const backoff = { firstDelayMs: 250, maxDelayMs: 5000, multiplier: 2 } as const;
const goAwaySpreadMs = 1000;
const welcomeTimeoutMs = 10_000;

/** The way of a member to its master. */
interface Line {
  readonly master: string;
  /** Of the bot's end. */
  readonly ownAddress: string;
  readonly secureContext: SecureContext | undefined;
}

/**
 * A bot that behaves to its master as ours do, on a connection of its own: it beats
 * as soon as it is welcomed and then when the master asks for it, drops what it may not
 * keep, repeats a result on request, and comes back after a loss, with the same jitter
 * and backoff.
 */
export class Member {
  readonly bot: VirtualBot;
  #socket: Socket | undefined;
  #isWanted = false;
  #isWelcomed = false;
  #failures = 0;
  #reconnectAfterMs: number | undefined;
  #beating: NodeJS.Timeout | undefined;
  /** Runs out before the welcome, or before the next attempt to connect. */
  #timer: NodeJS.Timeout | undefined;
  readonly #unsettled = new Map<string, (refusal: string | undefined) => void>();

  constructor(
    id: string,
    private readonly crew: Tally,
    private readonly line: Line,
  ) {
    this.bot = new VirtualBot(id, 1, {
      welcomed: (bot, { leases }) => {
        clearTimeout(this.#timer);
        this.#isWelcomed = true;
        const abandoned = leases.filter(({ keep }) => !keep);
        for (const { lease } of abandoned) bot.leases.delete(lease?.jobId ?? '');
        bot.beat();
        crew.here++;
        crew.welcomes++;
        crew.kept += leases.length - abandoned.length;
        crew.abandoned += abandoned.length;
      },
      assigned: (_, lease) => {
        crew.assigned++;
        crew.onAssigned(lease);
      },
      answered: (bot, [sentAtMs = 0], nextBeatInMs) => {
        crew.answers.recordSince(sentAtMs);
        clearTimeout(this.#beating);
        this.#beating = setTimeout(() => bot.beat(), nextBeatInMs);
      },
      done: (_, lease) => this.#settle(lease, undefined),
      refused: (bot, lease, { reason, retryAfterMs }) => {
        if (retryAfterMs === 0) this.#settle(lease, reason);
        else setTimeout(() => bot.finish(lease), retryAfterMs);
      },
      sentAway: (bot, afterMs) => {
        this.#reconnectAfterMs = afterMs + Math.random() * goAwaySpreadMs;
        bot.leave();
      },
      left: () => this.#left(),
    });
  }

  get lease(): Lease | undefined {
    return this.bot.leases.values().next().value;
  }

  /** Connects, and comes back after each loss. */
  come(): void {
    this.#isWanted = true;
    this.#reconnectAfterMs = undefined;
    const { master, ownAddress, secureContext } = this.line;
    const [host = '', port] = master.split(':');
    const to = { host, port: Number(port), localAddress: ownAddress, noDelay: true };
    const socket = connectTcp(to);
    const secured = () => connectTls({ socket, host, secureContext, ALPNProtocols: ['h2'] });
    const session = connectHttp2(`${secureContext ? 'https' : 'http'}://${master}`, {
      createConnection: () => (secureContext ? secured() : socket),
    });
    session.on('error', () => {}); // its stream closes
    this.#socket = socket;
    this.#timer = setTimeout(() => this.lose(), welcomeTimeoutMs);
    this.bot.connect(session);
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

  /** @returns why the result is refused for good; undefined once it is on disk */
  finish(lease: Lease): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#unsettled.set(lease.jobId, resolve);
    this.bot.finish(lease);
    return promise;
  }

  #left(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#beating);
    this.#failures = this.#isWelcomed ? 1 : this.#failures + 1;
    if (this.#isWelcomed) this.crew.here--;
    this.#isWelcomed = false;
    this.#socket?.destroy();
    if (!this.#isWanted) return;
    const delayMs = this.#reconnectAfterMs ?? backoffMs(backoff, this.#failures);
    this.#timer = setTimeout(() => this.come(), delayMs);
  }

  #settle({ jobId }: Lease, refusal: string | undefined): void {
    this.#unsettled.get(jobId)?.(refusal);
    this.#unsettled.delete(jobId);
  }
}

/** Events of all members of a crew. */
export class Tally {
  here = 0;
  /** Since `recount`: Hellos that were answered, leases in them that live on or do not, new leases. */
  welcomes = 0;
  kept = 0;
  abandoned = 0;
  assigned = 0;
  /** Since then, too: times from beats to their answers. */
  answers = new Latencies();
  /** Called with each lease that a bot takes. */
  onAssigned: (lease: Lease) => void = () => {};

  recount(): void {
    this.welcomes = this.kept = this.abandoned = this.assigned = 0;
    this.answers = new Latencies();
  }
}
