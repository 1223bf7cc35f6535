import type { RequestContext } from '../../core/context.js';
import { NotFoundError, ReplacedError, ShuttingDownError, SilentError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import type { BotHealth } from '../../gen/pandafuzz/v1/bot.js';
import type {
  Beat,
  HeartbeatRequest,
  HeartbeatResponse,
  Hello,
  JobDone,
  JobDoneAck,
  LeaseReject,
  LogPart,
  ReadLog,
  RenewedLease,
} from '../../gen/pandafuzz/v1/heartbeat.js';
import { JobOutcome } from '../../gen/pandafuzz/v1/job.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { ClaimedJob } from '../../store/rows.js';
import type { SessionHandle } from '../bots/sessions.js';
import type { LiveLease } from '../leases/leases.js';
import {
  type CheckedBeat,
  checkBeat,
  checkCause,
  checkHello,
  checkLease,
} from '../messages/checks.js';
import { Violations } from '../messages/violations.js';
import type { Offer } from '../scheduling/matching.js';
import { assignmentOr, refuseOffer } from './bot-trouble.js';
import { confirmDrain, confirmStop } from './confirmations.js';
import { Credit } from './credit.js';
import { type BotTie, enter, leave, resume, tieOf } from './entering.js';
import { reportHealth } from './health.js';
import { LogReads } from './log-reads.js';
import type { Opened, Outgoing, SessionParts } from './parts.js';
import { refusalOf, secondHello, unknownMessage, wrongSequence } from './refusal.js';
import { notValid, renewed } from './renewal.js';

export type { Outgoing, SessionParts } from './parts.js';

/** Checks in a row without a message, one TTL apart: two to three TTLs of silence. */
const mostLooks = 2;

/**
 * One heartbeat stream, from Hello to its end.
 *
 *   Hello ──> Welcome: each lease of the bot is kept or not. A lease that the bot does
 *             not name (an Assign lost with the stream, a restarted bot) is taken back.
 *   Beat ───> BeatAck, from memory, with the time of the next beat. Renews the leases
 *             it names and announces free slots.
 *   credit ─> Assign, as jobs arrive; LeaseAck or LeaseReject answers it.
 *   drain ──> Drain, on every stream until Resume; DrainAck answers it.
 *   cancel ─> Cancel once, then repeated in every BeatAck until the run has ended.
 *   JobDone > JobDoneAck, after the commit.
 *   beats of a run that lasts too long: Cancel, then the end of its lease (overstay.ts).
 *
 * The end of the stream ends no lease: only the TTL does. A bot that is silent for two to
 * three TTLs loses its stream (sessions.ts).
 */
export class BotSession implements SessionHandle {
  readonly botId: string;
  readonly instanceId: string;
  readonly arrival: number;
  health: BotHealth | undefined;
  readonly sendsLogs: boolean;
  readonly mayMove: boolean;
  rivalRefusedAt: number | undefined;
  readonly #botName: string;
  readonly #isPrivate: boolean;
  readonly #tie: BotTie | undefined;
  /** A beat that came while this master was no member of its cluster. */
  #unanswered: CheckedBeat | undefined;
  readonly #credit: Credit;
  #sequence = 0;
  /** Checks since the last message. */
  #looks = 0;
  /** Monotonic time of the last message. */
  #heardAtMs: number;
  /** Made when somebody reads a log. */
  #logReads: LogReads | undefined;

  private constructor(
    opened: Opened,
    private readonly parts: SessionParts,
    private readonly outgoing: Outgoing,
    private readonly log: Logger,
  ) {
    const { bot, hello, isPrivate } = opened;
    this.#isPrivate = isPrivate;
    this.#tie = tieOf(hello, parts);
    const { intervals, leases, dispatch, holds, clock } = parts;
    this.botId = bot.id;
    this.#botName = bot.name;
    this.instanceId = hello.instanceId;
    this.sendsLogs = hello.sendsLogs ?? false;
    this.mayMove = hello.knowsOthers ?? false;
    this.arrival = opened.arrival;
    this.#heardAtMs = clock.monotonic();
    const receive = (job: ClaimedJob) => this.#receive(job);
    this.#credit = new Credit({ bot, ttlMs: intervals.ttlMs, leases, dispatch, holds, receive });
  }

  /** @throws ValidationError, NotFoundError, CancelledError, ReplacedError, PreconditionError */
  static async open(
    ctx: RequestContext,
    hello: Hello,
    parts: SessionParts,
    outgoing: Outgoing,
  ): Promise<BotSession> {
    checkHello(hello);
    const arrival = parts.sessions.arrive();
    const isOver = () => outgoing.isOver();
    const bot = await enter(ctx, hello, arrival, { ...parts, isOver });
    const opened = { bot, arrival, hello, isPrivate: ctx.isPrivate ?? false };
    const session = new BotSession(opened, parts, outgoing, ctx.log);
    session.#welcome(hello);
    return session;
  }

  get freeSlots(): number {
    return Math.max(this.#credit.credit, 0);
  }

  get offer(): Offer {
    return this.#credit.offer;
  }

  get isDraining(): boolean {
    return this.#credit.isDraining;
  }

  get isResting(): boolean {
    return this.#credit.isResting;
  }

  get isHeard(): boolean {
    const { clock, intervals } = this.parts;
    return clock.monotonic() - this.#heardAtMs <= 2 * intervals.heartbeatMs;
  }

  get gone(): boolean {
    return this.#credit.gone;
  }

  /** Handles a message of the bot. @throws ValidationError, PreconditionError, which end the stream */
  hear({ message }: HeartbeatRequest): void {
    this.#seen();
    switch (message?.$case) {
      case 'beat':
        this.#beat(message.value);
        break;
      case 'leaseAck':
        this.#accepted(message.value.lease);
        break;
      case 'leaseReject':
        this.#rejected(message.value);
        break;
      case 'cancelAck':
        this.#stopping(message.value.lease);
        break;
      case 'drainAck':
        if (this.isDraining) confirmDrain(this.botId, this.parts, this.#notStored);
        break;
      case 'jobDone':
        void this.#done(message.value);
        break;
      case 'logPart':
        this.#logReads?.answered(message.value);
        break;
      case 'hello':
        throw secondHello();
      default:
        throw unknownMessage();
    }
  }

  holdChanged(): void {
    this.#credit.holdChanged();
  }

  cancel(lease: LiveLease): void {
    this.#send({ $case: 'cancel', value: { lease: namesOf(lease) } });
  }

  drain(isDraining: boolean): void {
    this.#send(isDraining ? { $case: 'drain', value: {} } : { $case: 'resume', value: {} });
    this.#credit.drain(isDraining);
  }

  readLog(question: Omit<ReadLog, 'requestId'>): Promise<LogPart> {
    const { clock } = this.parts;
    this.#logReads ??= new LogReads(clock, (value) => this.#send({ $case: 'readLog', value }));
    return this.#logReads.ask(question);
  }

  forget(): void {
    this.outgoing.fail(new NotFoundError({ resource: 'bot', id: this.botId }));
    this.end();
  }

  goAway(reason: string, reconnectAfterMs: number): void {
    this.#send({ $case: 'goAway', value: { reason, reconnectAfterMs } });
  }

  checkSilence(): void {
    if (++this.#looks <= mostLooks) return;
    this.outgoing.fail(new SilentError());
    this.end();
  }

  replace(): void {
    this.outgoing.fail(new ReplacedError());
    this.end();
  }

  sendAway(reason: string): void {
    this.goAway(reason, 0);
    this.outgoing.fail(new ShuttingDownError({ retryAfterMs: 0 }));
    this.end();
  }

  answerAgain(): void {
    const beat = this.#unanswered;
    this.#unanswered = undefined;
    if (beat && !this.gone) this.#renew(beat);
  }

  /** The stream is over. Idempotent. */
  end(): void {
    if (this.gone) return;
    this.#credit.end();
    this.#logReads?.end();
    this.parts.sessions.leave(this);
    leave(this.#tie, this.parts);
    this.log.info(this.#about(), 'bot disconnected');
  }

  #receive(job: ClaimedJob): void {
    const { botId, ttlMs } = this.#credit;
    const lease = this.parts.leases.grant(job, { botId, ttlMs, acknowledged: false });
    const offer = { job, lease, isGone: this.gone, isPrivate: this.#isPrivate };
    const assignment = assignmentOr(offer, this.parts);
    if (!assignment) return;
    this.#credit.offered(lease);
    this.#send({ $case: 'assign', value: { assignment } });
    if (lease.stopRequested) this.cancel(lease);
    const { id, fence, attempt } = job;
    this.log.debug(this.#about({ job: id, fence, attempt }), 'job offered');
  }

  #welcome(hello: Hello): void {
    const { sessions, intervals } = this.parts;
    const resumed = resume(hello, this.parts, (lease) => {
      const live = this.#mine(lease);
      if (live) this.#hold(live);
      return live;
    });
    sessions.enter(this);
    this.parts.blame.came(this.botId, this.instanceId);
    this.#send({
      $case: 'welcome',
      value: {
        heartbeatIntervalMs: intervals.heartbeatMs,
        leaseTtlMs: intervals.ttlMs,
        leases: resumed,
      },
    });
    if (this.isDraining) this.#send({ $case: 'drain', value: {} });
    const told = { leases: resumed.length, freeSlots: hello.freeSlots };
    this.log.info(this.#about(told), 'bot connected');
    this.#seen();
    this.#credit.announce(hello.freeSlots);
  }

  #beat(beat: Beat): void {
    checkBeat(beat);
    const { sequence } = beat;
    if (sequence !== this.#sequence + 1) throw wrongSequence(this.#sequence + 1);
    this.#sequence = sequence;
    // The other masters may have given the leases away: the bot waits, and nothing is promised.
    if (this.parts.store.cluster?.isMember === false) this.#unanswered = beat;
    else this.#renew(beat);
  }

  #renew(beat: CheckedBeat): void {
    const { rhythm } = this.parts;
    const { sequence } = beat;
    if (beat.health) this.#healthIs(beat.health);
    const proven: LiveLease[] = [];
    const answers = beat.leases.map((status): RenewedLease => {
      const live = this.#mine(status.lease);
      if (!live) return notValid(status.lease);
      this.#hold(live);
      if (!live.isProven && (status.statistics?.executions ?? 0) > 0) proven.push(live);
      return renewed(live, status, this.parts, () => this.cancel(live));
    });
    const nextBeatInMs = sequence === 1 ? rhythm.firstInMs() : rhythm.nextInMs();
    const value = { sequence, leases: answers, nextBeatInMs };
    if (!this.gone) this.outgoing.sendLatest({ message: { $case: 'beatAck', value } });
    this.#credit.announce(beat.freeSlots);
    for (const live of proven) this.parts.blame.proved(live);
  }

  /** The bot has tried whether it can run jobs. */
  #healthIs(health: BotHealth): void {
    const before = this.health?.problem ?? '';
    this.health = health;
    this.parts.sessions.healthChanged(this);
    if (before === health.problem) return;
    reportHealth(health, this.#about(), this.log);
    if (!health.problem) this.parts.blame.wellAgain(this.botId);
  }

  #accepted(lease: Lease | undefined): void {
    const live = this.#named(lease);
    if (live) this.#hold(live);
  }

  /** The bot has named the lease as its own: renews it and ends the offer. */
  #hold(live: LiveLease): void {
    const { leases, acknowledgements } = this.parts;
    this.#credit.taken(live);
    leases.acknowledge(live);
    acknowledgements.add(live);
  }

  #rejected(reject: LeaseReject): void {
    const found = new Violations().text(reject.reason, 'lease_reject.reason', { max: 1024 });
    checkCause(reject.cause ?? '', 'lease_reject.cause', found);
    const live = this.#named(reject.lease, found);
    if (!live) return;
    this.#credit.answered(live);
    refuseOffer(live, reject, this.parts);
  }

  #stopping(lease: Lease | undefined): void {
    const live = this.#named(lease);
    if (live?.stopRequested) confirmStop(live, this.parts, this.#notStored);
  }

  readonly #notStored = (error: unknown, event: string): void => {
    this.log.warn(this.#about({ err: error }), event);
  };

  async #done({ lease, result, logTail }: JobDone): Promise<void> {
    const { jobs, acknowledgements, logs } = this.parts;
    const live = lease && this.#mine(lease);
    const acknowledged = live && acknowledgements.take(live);
    const answer = (outcome: JobDoneAck['outcome']) =>
      this.#send({ $case: 'jobDoneAck', value: { lease, outcome } });
    try {
      const told = { acknowledged, botId: this.botId };
      const receipt = await jobs.completeSoon(lease, result, told);
      if (live) this.#credit.answered(live);
      if (live && logTail && result?.outcome !== JobOutcome.COMPLETED) logs.keep(live, logTail);
      const outcome = result && JobOutcome[result.outcome];
      this.log.debug(this.#about({ lease, outcome }), 'job finished');
      answer({ $case: 'receipt', value: receipt });
    } catch (error) {
      if (acknowledged) acknowledgements.failed(live);
      const refusal = refusalOf(error);
      const { reason } = refusal;
      this.log.warn(this.#about({ err: error, lease, reason }), 'result refused');
      answer({ $case: 'refusal', value: refusal });
    }
  }

  /** @throws ValidationError, for what is in `found` too */
  #named(lease: Lease | undefined, found = new Violations()): LiveLease | undefined {
    const live = this.#mine(checkLease(lease, found));
    found.throwIfAny();
    return live;
  }

  #mine(lease: Lease): LiveLease | undefined {
    const live = this.parts.leases.find(lease);
    return live?.botId === this.botId ? live : undefined;
  }

  #seen(): void {
    this.#looks = 0;
    const { beatLog, clock } = this.parts;
    this.#heardAtMs = clock.monotonic();
    beatLog.saw(this.botId, clock.now());
  }

  /** Fields of a log line. A child logger would take more memory than the session. */
  #about(what: object = {}): object {
    return { bot: this.botId, botName: this.#botName, ...what };
  }

  #send(message: NonNullable<HeartbeatResponse['message']>): void {
    if (!this.gone) this.outgoing.send({ message });
  }
}

const namesOf = ({ jobId, attempt, fence }: LiveLease): Lease => ({ jobId, attempt, fence });
