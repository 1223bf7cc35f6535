import type { ClientDuplexStream, ServiceError, StatusObject } from '@grpc/grpc-js';
import { failureOf } from '../../client/failure.js';
import { type Clock, systemClock, type Timer } from '../../core/clock.js';
import { messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import type { BotHealth } from '../../gen/pandafuzz/v1/bot.js';
import type {
  Beat,
  BotResources,
  HeartbeatRequest,
  HeartbeatResponse,
  Hello,
  JobDone,
  JobDoneAck,
  LeaseStatus,
  LogPart,
  ReadLog,
  Welcome,
} from '../../gen/pandafuzz/v1/heartbeat.js';
import type { StartTrouble } from '../../gen/pandafuzz/v1/job.js';
import type { Assignment, Lease } from '../../gen/pandafuzz/v1/lease.js';
import { Outgoing } from './outgoing.js';

/**
 * What becomes of an offer. A refusal uses up one of the job's attempts, so it is
 * for what is wrong with the job; where only this bot cannot take it now, the
 * offer is left to lapse.
 */
export type Answer = 'taken' | 'not now' | Refusal;

/** With `trouble` it is the bot that cannot run it, which uses up no attempt. */
export interface Refusal {
  readonly refused: string;
  readonly trouble?: StartTrouble;
}

/** What the protocol is about, seen from the stream. */
export interface SessionWork {
  readonly free: number;
  readonly leases: Lease[];
  readonly statuses: LeaseStatus[];
  readonly done: JobDone[];
  has(lease: Lease): boolean;
  assign(assignment: Assignment): Answer;
  cancel(lease: Lease): void;
  abandon(lease: Lease): void;
  settle(lease: Lease, outcome: JobDoneAck['outcome']): void;
}

export interface SessionOptions {
  readonly identity: Pick<Hello, 'botId' | 'instanceId' | 'stream' | 'knowsOthers'>;
  readonly resources: () => BotResources;
  readonly health?: () => BotHealth;
  readonly onWelcome: () => void;
  /** Answers from memory. Absent: this bot sends no logs. */
  readonly readLog?: ((question: ReadLog) => LogPart) | undefined;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** Instead of a gRPC status: the bot gave the stream up. */
export const givenUp = -1;

export interface SessionEnd {
  /** gRPC status of the stream, 0 when it ended in peace; or `givenUp`. */
  readonly code: number;
  /** ErrorInfo.reason of the status; empty when it has none. */
  readonly reason: string;
  readonly why: string;
  /** Whether the master had answered the Hello. */
  readonly wasWelcomed: boolean;
  /** GoAway's wish, milliseconds. */
  readonly reconnectAfterMs: number | undefined;
}

type Heard = NonNullable<HeartbeatResponse['message']>;

/** For the connection to come about and the master to answer Hello, milliseconds. */
const welcomeTimeoutMs = 10_000;
/**
 * For the master to answer a beat, milliseconds, if the interval is not shorter; then the
 * beat is sent again. A machine that has vanished closes no connection, and must be noticed
 * long before a lease is over.
 */
const answerWithinMs = 5000;
/**
 * Beats in a row without an answer after which the stream is taken for dead.
 * Counted, not timed: a bot that was itself held up has not waited for the master.
 */
const mostUnanswered = 3;
/** For the master to end its side as well, milliseconds. */
const closingMs = 500;
const intervalBounds = { minMs: 50, maxMs: 3_600_000 } as const;
const longestGoAwayMs = 300_000;

/**
 * One heartbeat stream, from Hello to its end. It opens with Hello; Welcome sets
 * the interval of beats, which their answers shift, and lists the leases that live on;
 * from then on Assign, Cancel, Drain, Resume and the answers to beats and results move
 * `work`, and `work`'s results are sent, again with each beat, until they are answered.
 * It ends when the master ends it, falls silent or breaks the protocol: the next
 * session starts over from what `work` holds then.
 */
export class Session {
  readonly #ended = Promise.withResolvers<SessionEnd>();
  readonly #out: Outgoing;
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  /** Results the master does not want to hear again yet. */
  readonly #postponed = new Set<string>();
  #isOver = false;
  #isWelcomed = false;
  #isDraining = false;
  #sequence = 0;
  #intervalMs = 0;
  #nextBeat: Timer | undefined;
  #unanswered = 0;
  #reconnectAfterMs: number | undefined;
  /** The health that was sent last, as JSON. */
  #sentHealth = '';

  constructor(
    private readonly call: ClientDuplexStream<HeartbeatRequest, HeartbeatResponse>,
    private readonly work: SessionWork,
    private readonly options: SessionOptions,
  ) {
    this.#clock = options.clock ?? systemClock;
    this.#out = new Outgoing(call, {
      makeBeat: () => this.#makeBeat(),
      onOverflow: () => this.#giveUp('the master does not read'),
    });
    call.on('data', (response: HeartbeatResponse) => this.#hear(response));
    call.on('error', (error: ServiceError) => {
      const failure = failureOf(error);
      this.#end(error.code, failure?.message || messageOf(error), failure?.reason);
    });
    call.on('status', (status: StatusObject) => this.#end(status.code, status.details));
    const sendsLogs = options.readLog !== undefined;
    const hello = { ...options.identity, freeSlots: work.free, leases: work.leases, sendsLogs };
    this.#out.say({ $case: 'hello', value: hello });
    this.#in(welcomeTimeoutMs, () => {
      if (!this.#isWelcomed) this.#giveUp('no master answered Hello');
    });
  }

  /** Never rejects. */
  get ended(): Promise<SessionEnd> {
    return this.#ended.promise;
  }

  /** The master has answered the Hello. */
  get isWelcomed(): boolean {
    return this.#isWelcomed;
  }

  /** A beat goes out now, or as soon as the master reads. */
  beat(): void {
    if (this.#isWelcomed && !this.#isOver) this.#out.beat();
  }

  tell(done: JobDone): void {
    if (this.#isWelcomed && !this.#isOver) this.#out.say({ $case: 'jobDone', value: done });
  }

  /** Closes the stream; messages sent before still arrive. */
  close(): void {
    if (this.#isOver) return;
    this.#out.end();
    this.#in(closingMs, () => this.#end(0, 'closed'));
  }

  #end(code: number, why: string, reason = ''): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#nextBeat?.cancel();
    for (const timer of this.#timers) timer.cancel();
    this.#out.end();
    this.call.cancel();
    const reconnectAfterMs = this.#reconnectAfterMs;
    this.#ended.resolve({ code, reason, why, wasWelcomed: this.#isWelcomed, reconnectAfterMs });
  }

  #giveUp(why: string): void {
    this.#end(givenUp, why);
  }

  #in(delayMs: number, fire: () => void): void {
    const timer = this.#clock.schedule(delayMs, () => {
      this.#timers.delete(timer);
      if (!this.#isOver) fire();
    });
    this.#timers.add(timer);
  }

  #makeBeat(): Beat {
    this.#sequence += 1;
    return {
      sequence: this.#sequence,
      freeSlots: this.#isDraining ? 0 : this.work.free,
      leases: this.work.statuses,
      resources: this.options.resources(),
      ...this.#newHealth(),
    };
  }

  /** The health, if it is not the one that the master has from this stream. */
  #newHealth(): Pick<Beat, 'health'> {
    const health = this.options.health?.();
    const text = JSON.stringify(health ?? null);
    if (!health || text === this.#sentHealth) return {};
    this.#sentHealth = text;
    return { health };
  }

  #tick(): void {
    if (this.#unanswered >= mostUnanswered) {
      this.#giveUp(`the master left ${this.#unanswered} beats unanswered`);
      return;
    }
    this.#unanswered += 1;
    this.beat();
    // While the master does not read, saying it again would only pile up.
    if (this.#out.isClear) this.#tellAll();
    this.#tickIn(Math.min(this.#intervalMs, answerWithinMs));
  }

  #tickIn(delayMs: number): void {
    this.#nextBeat?.cancel();
    this.#nextBeat = this.#clock.schedule(delayMs, () => this.#tick());
  }

  #tellAll(): void {
    for (const done of this.work.done) {
      if (done.lease && !this.#postponed.has(keyOf(done.lease))) this.tell(done);
    }
  }

  #hear({ message }: HeartbeatResponse): void {
    if (this.#isOver) return;
    try {
      if (message === undefined) this.options.log.debug('unknown message');
      else if (!this.#isWelcomed && message.$case !== 'welcome' && message.$case !== 'goAway') {
        this.#giveUp(`the master said ${message.$case} before Welcome`);
      } else this.#follow(message);
    } catch (error) {
      this.options.log.error({ err: error }, 'master message failed');
      this.#giveUp(messageOf(error));
    }
  }

  #follow(message: Heard): void {
    if (message.$case === 'welcome') this.#onWelcome(message.value);
    else if (message.$case === 'beatAck') {
      this.#onBeatAck(message.value.nextBeatInMs);
      for (const { lease, remainingTtlMs, cancelRequested } of message.value.leases) {
        this.#onLease(lease, remainingTtlMs > 0, cancelRequested);
      }
    } else if (message.$case === 'assign') this.#onAssign(message.value.assignment);
    else if (message.$case === 'cancel') this.#onLease(message.value.lease, true, true);
    else if (message.$case === 'jobDoneAck') this.#onJobDoneAck(message.value);
    else if (message.$case === 'drain') {
      this.options.log.info('bot draining');
      this.#isDraining = true;
      this.#out.say({ $case: 'drainAck', value: {} });
      this.beat();
    } else if (message.$case === 'resume') {
      this.options.log.info('bot resumed');
      this.#isDraining = false;
      this.beat();
    } else if (message.$case === 'readLog') this.#onReadLog(message.value);
    else {
      this.options.log.info({ why: message.value.reason }, 'stream ended by master');
      this.#reconnectAfterMs = Math.min(message.value.reconnectAfterMs, longestGoAwayMs);
      this.close();
    }
  }

  #onWelcome(welcome: Welcome): void {
    if (this.#isWelcomed) return;
    this.#isWelcomed = true;
    this.#intervalMs = withinBounds(welcome.heartbeatIntervalMs);
    for (const { lease, keep, cancelRequested } of welcome.leases) {
      this.#onLease(lease, keep, cancelRequested);
    }
    this.options.onWelcome();
    this.#tick();
  }

  /** What moves the time of the next beat is the answer to the last that was due. */
  #onBeatAck(nextBeatInMs: number): void {
    if (this.#unanswered === 0) return;
    this.#unanswered = 0;
    this.#tickIn(nextBeatInMs > 0 ? withinBounds(nextBeatInMs) : this.#intervalMs);
  }

  #onLease(lease: Lease | undefined, isValid: boolean, cancelRequested: boolean): void {
    if (!lease || !this.work.has(lease)) return;
    if (!isValid) this.work.abandon(lease);
    else if (cancelRequested) {
      this.work.cancel(lease);
      this.#out.say({ $case: 'cancelAck', value: { lease } });
    }
  }

  #onAssign(assignment: Assignment | undefined): void {
    const lease = assignment?.lease;
    if (!lease) {
      this.#giveUp('the master sent an Assign without a lease');
      return;
    }
    const answer = this.#isDraining ? 'not now' : this.work.assign(assignment);
    if (answer === 'taken') {
      this.#out.say({ $case: 'leaseAck', value: { lease } });
      this.beat(); // the phase, which counts if the bot is lost
    } else if (answer === 'not now') {
      this.beat();
    } else {
      this.options.log.warn({ jobId: lease.jobId, why: answer.refused }, 'job refused');
      const { refused: reason, trouble } = answer;
      const value = { lease, reason, ...(trouble !== undefined && { trouble }) };
      this.#out.say({ $case: 'leaseReject', value });
    }
  }

  /** While the master does not read, an answer would only pile up; it asks no longer than 5 s. */
  #onReadLog(question: ReadLog): void {
    const value = this.#out.isClear ? this.options.readLog?.(question) : undefined;
    if (value) this.#out.say({ $case: 'logPart', value });
  }

  #onJobDoneAck({ lease, outcome }: JobDoneAck): void {
    if (!lease || !outcome) return;
    const retryAfterMs = outcome.$case === 'refusal' ? outcome.value.retryAfterMs : 0;
    if (retryAfterMs === 0) {
      this.work.settle(lease, outcome);
      return;
    }
    const key = keyOf(lease);
    this.#postponed.add(key);
    this.#in(retryAfterMs, () => {
      this.#postponed.delete(key);
      this.#tellAll();
    });
  }
}

const withinBounds = (intervalMs: number) =>
  Math.min(Math.max(intervalMs, intervalBounds.minMs), intervalBounds.maxMs);

const keyOf = ({ jobId, fence }: Lease) => `${jobId}/${fence}`;
