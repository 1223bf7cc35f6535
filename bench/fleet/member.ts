import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { backoffMs } from '../../src/core/retry.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import type { Tally } from './tally.js';
import { VirtualBot } from './virtual-bot.js';

/** The timings of the real bot, src/bot. */
const backoff = { firstDelayMs: 250, maxDelayMs: 5000, multiplier: 2 } as const;
const goAwaySpreadMs = 1000;
const welcomeTimeoutMs = 10_000;

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
    private readonly addresses: { readonly master: string; readonly own: string },
    private readonly tally: Tally,
    onAssigned: (lease: Lease) => void,
  ) {
    this.bot = new VirtualBot(id, 1, {
      welcomed: (_, { leases }) => this.#welcomed(leases),
      assigned: (_, lease) => {
        tally.assigned++;
        onAssigned(lease);
        tally.changed();
      },
      answered: (bot, [sentAtMs = 0], nextBeatInMs) => {
        tally.answers.record(performance.now() - sentAtMs);
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

  /** The one lease it has, if it has one. */
  get lease(): Lease | undefined {
    return this.bot.leases.values().next().value;
  }

  /** Connects, and comes back after each loss. */
  come(): void {
    this.#isWanted = true;
    const { master, own } = this.addresses;
    const [host, port] = master.split(':');
    const to = { host, port: Number(port), localAddress: own, noDelay: true };
    const socket = connectTcp(to);
    const session = connectHttp2(`http://${master}`, { createConnection: () => socket });
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

  #welcomed(leases: readonly { keep: boolean; lease?: Lease | undefined }[]): void {
    clearTimeout(this.#timer);
    this.#isWelcomed = true;
    this.#reconnectAfterMs = undefined;
    const abandoned = leases.filter(({ keep }) => !keep);
    for (const { lease } of abandoned) this.bot.leases.delete(lease?.jobId ?? '');
    this.bot.beat();
    this.tally.here++;
    this.tally.welcomes++;
    this.tally.kept += leases.length - abandoned.length;
    this.tally.abandoned += abandoned.length;
    this.tally.changed();
  }

  #left(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#beating);
    this.#failures = this.#isWelcomed ? 1 : this.#failures + 1;
    if (this.#isWelcomed) this.tally.here--;
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
