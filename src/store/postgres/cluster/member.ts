import { createHash } from 'node:crypto';
import { type Clock, sleep } from '../../../core/clock.js';
import { UserError } from '../../../core/errors.js';
import type { Logger } from '../../../core/log.js';
import { PeriodicTask } from '../../../core/periodic-task.js';
import { backoffMs } from '../../../core/retry.js';
import type { Cluster, ClusterListener, ClusterOptions, Hint, Peer } from '../../cluster.js';
import { isRetryableError } from '../faults.js';
import { Session, type SessionOptions } from '../session.js';
import {
  beat,
  bury,
  enter,
  expectClock,
  expectReplicated,
  listMasters,
  remove,
  standFor,
} from './roster.js';
import { forgetSignals, type Logs, lastOfLogs, listSignals } from './signals.js';

export interface MemberOptions extends Omit<SessionOptions, 'name'> {
  readonly cluster: ClusterOptions;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when there are new events, whichever master wrote them. */
  readonly onEvents: () => void;
}

/** Beats within one `ttlMs`: four may fail. */
const beatsOfTtl = 5;
/** Between two looks at what the others did. */
const lookEveryMs = 50;
/** Between two sweeps of signals that all have read. */
const sweepEveryMs = 60_000;
const pauses = { firstDelayMs: 50, maxDelayMs: 1_000, multiplier: 2 } as const;
/** The session of a killed master ends within a second or so. */
const waitForAddressMs = 3_000;
/** Class of the locks of rounds: "pfrd" in ASCII. */
const roundClass = 0x70667264;

/**
 * One of several masters on a database, with a session of its own, so that no queue of writes
 * is in its way:
 *
 *   enter ──> member ── no beat for a TTL, by its own clock ──> silent ── a beat ──> member
 *                │                                                │
 *                └──── its row is gone: declared dead ────────────┴──> enter, under a new id
 *
 * It counts its TTL from before a beat was sent, and others count from when the database had
 * it: so it is silent before anybody may declare it dead.
 */
export class Member implements Cluster {
  #id = 0;
  #shard = 0;
  #validUntil = 0;
  /** Since when beats have come without a gap: who was away itself judges nobody. */
  #steadySince: number;
  #peers: readonly Peer[] = [];
  #seen: Logs = { events: 0, signals: 0 };
  #isAway = false;
  #reconnecting: Promise<void> | undefined;
  #listener: ClusterListener | undefined;
  readonly #closing = new AbortController();
  readonly #tasks: readonly PeriodicTask[];

  private constructor(
    private readonly options: MemberOptions,
    private session: Session,
  ) {
    const { clock, log, cluster } = options;
    this.#steadySince = clock.monotonic();
    const every = (name: string, intervalMs: number, work: () => Promise<void>) =>
      new PeriodicTask({ clock, log, name, intervalMs, work: () => this.#unlessAway(work) });
    this.#tasks = [
      every('cluster beat', cluster.ttlMs / beatsOfTtl, () => this.#beat()),
      every('cluster look', lookEveryMs, () => this.#look()),
      every('sweep of signals', sweepEveryMs, () => forgetSignals(this.session)),
    ];
  }

  /** @throws UserError in words; faults */
  static async join(options: MemberOptions): Promise<Member> {
    const session = await openSession(options);
    const member = new Member(options, session);
    try {
      await expectReplicated(session, options.cluster.allowLostWrites);
      await expectClock(session, () => options.clock.now());
      await member.#enterSoon();
      // What the others changed before, the start reads from the tables.
      member.#seen = await lastOfLogs(session);
      return member;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  get id(): number {
    return this.#id;
  }

  /** Its rows of counters. */
  get shard(): number {
    return this.#shard;
  }

  get isMember(): boolean {
    return this.options.clock.monotonic() < this.#validUntil;
  }

  get peers(): readonly Peer[] {
    return this.#peers;
  }

  listen(listener: ClusterListener): void {
    this.#listener = listener;
    for (const task of this.#tasks) task.start();
  }

  async alone(round: string, work: () => Promise<void>): Promise<void> {
    const { session } = this;
    const values = [roundClass, createHash('sha256').update(round).digest().readInt32BE()];
    const { rows } = await session.query({
      text: 'SELECT pg_try_advisory_lock($1, $2) AS taken',
      values,
    });
    if (!(rows[0] as { taken: boolean }).taken) return;
    try {
      await work();
    } finally {
      // Of a session that was lost the lock is gone as well.
      session.send({ text: 'SELECT pg_advisory_unlock($1, $2)', values });
    }
  }

  /** Leaves: the others need not wait to take what is left. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#tasks.map((task) => task.stop()));
    if (!this.session.isLost) await remove(this.session, [this.#id]).catch(() => {});
    await this.session.close();
  }

  async #enterSoon(): Promise<void> {
    const { clock, cluster } = this.options;
    const until = clock.monotonic() + waitForAddressMs;
    for (let retry = 1; ; retry++) {
      const sentAt = clock.monotonic();
      try {
        const { id, shard } = await enter(this.session, cluster);
        this.#id = id;
        this.#shard = shard;
        this.#validUntil = sentAt + cluster.ttlMs;
        this.#peers = await listMasters(this.session);
        return;
      } catch (error) {
        if (!(error instanceof UserError) || clock.monotonic() > until) throw error;
        await sleep(clock, backoffMs(pauses, retry), this.#closing.signal);
      }
    }
  }

  /** Runs a task; a connection that was lost is made anew for the next one. */
  async #unlessAway(work: () => Promise<void>): Promise<void> {
    try {
      if (this.session.isLost) await this.#reconnect();
      await work();
      if (this.#isAway) this.options.log.warn('cluster reached again');
      this.#isAway = false;
    } catch (error) {
      if (!isRetryableError(error) || this.#closing.signal.aborted) throw error;
      if (!this.#isAway) this.options.log.warn({ err: error }, 'cluster not reached');
      this.#isAway = true;
    }
  }

  #reconnect(): Promise<void> {
    this.#reconnecting ??= openSession(this.options)
      .then(async (session) => {
        await standFor(session, this.#id);
        this.session = session;
      })
      .finally(() => {
        this.#reconnecting = undefined;
      });
    return this.#reconnecting;
  }

  async #beat(): Promise<void> {
    const { clock, cluster, log } = this.options;
    const sentAt = clock.monotonic();
    const figures = this.#listener?.figures() ?? noFigures;
    if (!(await beat(this.session, this.#id, figures))) return this.#again();
    const hadGap = sentAt - (this.#validUntil - cluster.ttlMs) > cluster.ttlMs / 2;
    if (hadGap) this.#steadySince = sentAt;
    const wasMember = this.isMember;
    this.#validUntil = sentAt + cluster.ttlMs;
    if (!wasMember && this.isMember) this.#listener?.backAgain();
    if (sentAt - this.#steadySince >= cluster.ttlMs) {
      await bury(this.session, { id: this.#id, ttlMs: cluster.ttlMs });
    }
    const before = this.#peers;
    this.#peers = await listMasters(this.session);
    const gone = before.filter(({ id }) => !this.#peers.some((one) => one.id === id));
    for (const { id, address } of gone) log.warn({ master: id, address }, 'master gone');
    if (gone.length > 0) this.#listener?.peerGone();
  }

  /** Its row is gone: the others have taken it for dead. */
  async #again(): Promise<void> {
    const { log } = this.options;
    this.#validUntil = 0;
    log.warn({ master: this.#id }, 'declared dead by the other masters: leases are given up');
    this.#listener?.declaredDead();
    await this.#enterSoon();
    log.warn({ master: this.#id }, 'joined the cluster again');
    this.#listener?.peerGone();
  }

  async #look(): Promise<void> {
    const last = await lastOfLogs(this.session);
    if (last.events > this.#seen.events) this.options.onEvents();
    let { signals } = this.#seen;
    while (signals < last.signals) {
      const page = { after: signals, upTo: last.signals, except: this.#id };
      const found = await listSignals(this.session, page);
      if (found.hints.length > 0) this.#listener?.hinted(unique(found.hints));
      signals = found.last;
      this.#seen = { ...this.#seen, signals };
    }
    this.#seen = { ...last, signals };
  }
}

const noFigures = { botsOnline: 0, freeSlots: 0, executionsPerSecond: 0 };

/** Each once: a hint says no more the second time. */
const unique = (hints: readonly Hint[]): Hint[] => [
  ...new Map(hints.map((one) => [`${one.kind} ${one.subject}`, one])).values(),
];

const openSession = ({ url, synchronous, instance }: MemberOptions): Promise<Session> =>
  Session.open({ url, synchronous, name: `pandafuzz member ${instance}` });
