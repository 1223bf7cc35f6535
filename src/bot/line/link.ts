import { status as Code, Metadata } from '@grpc/grpc-js';
import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { describeFailure, failureOf } from '../../client/failure.js';
import { type Clock, sleep, systemClock } from '../../core/clock.js';
import { UserError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { backoffMs } from '../../core/retry.js';
import type { BotHealth } from '../../gen/pandafuzz/v1/bot.js';
import type { RegisterBotRequest } from '../../gen/pandafuzz/v1/bot_service.js';
import type { BotResources, JobDone, LogPart, ReadLog } from '../../gen/pandafuzz/v1/heartbeat.js';
import { givenUp, Session, type SessionEnd, type SessionWork } from './session.js';

const backoff = { firstDelayMs: 250, maxDelayMs: 5000, multiplier: 2 } as const;
/** After another process of this bot took the stream, or its token was not taken: that may pass. */
const rivalDelayMs = 10_000;
/** Reason of a refusal while another process of this bot is live. */
const botIsLive = 'BOT_IS_LIVE';
/** Spreads a fleet that was sent away together, milliseconds. */
const goAwaySpreadMs = 1000;

/**
 * The bot's tie to its master: registers, holds one session, and when it ends
 * opens the next, for as long as `run` is not aborted.
 */
export class Link {
  #session: Session | undefined;
  #botId = '';
  #isAway = false;
  #isRefused = false;
  /** Opened by this process: masters that share a database tell by it which is the newest. */
  #streams = 0;

  constructor(
    private readonly options: {
      connection: Connection;
      describe: RegisterBotRequest;
      instanceId: string;
      work: SessionWork;
      resources: () => BotResources;
      health?: () => BotHealth;
      readLog?: (question: ReadLog) => LogPart;
      /** What to do where the bot runs twice, for people. */
      rivalAdvice?: string;
      onWelcome: () => void;
      /** Called before each registration: gets the bot a token of its own. */
      enrol?: (signal: AbortSignal) => Promise<void>;
      log: Logger;
      clock?: Clock;
      random?: () => number;
    },
  ) {}

  /** @throws UserError when the master will never have this bot */
  async run(signal: AbortSignal): Promise<void> {
    const { clock = systemClock, random = Math.random } = this.options;
    let failures = 0;
    while (!signal.aborted) {
      const end = await this.#once(signal);
      failures = end.wasWelcomed ? 1 : failures + 1;
      if (signal.aborted) return;
      this.#report(end);
      let delayMs = backoffMs(backoff, failures, random);
      if (isRivals(end) || isRefused(end)) delayMs += rivalDelayMs * (0.5 + random());
      if (end.reconnectAfterMs !== undefined) {
        // Another master has no reason to wait for.
        const waitMs = this.options.connection.hasOthers ? 0 : end.reconnectAfterMs;
        delayMs = waitMs + random() * goAwaySpreadMs;
      }
      await sleep(clock, delayMs, signal).catch(() => {});
    }
  }

  /** By registration; '' before it. */
  get botId(): string {
    return this.#botId;
  }

  /** A beat now, when there is a stream. */
  beat(): void {
    this.#session?.beat();
  }

  /** Tells a result now, when there is a stream. */
  tell(done: JobDone): void {
    this.#session?.tell(done);
  }

  /** Resolves when the stream there is now has ended. */
  async disconnected(): Promise<void> {
    await this.#session?.ended;
  }

  /** Whether there is a stream, and the master on its other side. */
  get isConnected(): boolean {
    return this.#session?.isWelcomed === true;
  }

  async #once(signal: AbortSignal): Promise<SessionEnd> {
    try {
      await this.options.connection.reach(signal);
      if (!this.#botId) await this.#register(signal);
    } catch (error) {
      if (error instanceof UserError) throw error;
      const why = describeFailure(error, this.options.connection.address);
      const { code = Code.UNKNOWN, reason = '' } = failureOf(error) ?? {};
      return { code, reason, why, wasWelcomed: false, reconnectAfterMs: undefined };
    }
    return this.#hold(signal);
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { connection, describe, log } = this.options;
    const { bots } = connection;
    try {
      await this.options.enrol?.(signal);
      const { bot } = await unary(bots, bots.registerBot, describe, { signal, timeoutMs: 10_000 });
      this.#botId = bot?.id ?? '';
      const name = bot?.name || describe.name;
      log.info({ botId: this.#botId, name }, 'bot registered');
      if (name !== describe.name) {
        log.warn(
          { name, wanted: describe.name },
          `another bot is named ${describe.name}: this one is ${name}; --name gives it another`,
        );
      }
    } catch (error) {
      const failure = failureOf(error);
      const isFinal = failure?.reason === 'NAME_IS_TAKEN';
      if (
        isFinal ||
        failure?.code === Code.INVALID_ARGUMENT ||
        failure?.code === Code.UNIMPLEMENTED
      ) {
        throw new UserError(
          `the master at ${connection.address} does not take this bot: ${failure.message}`,
        );
      }
      throw error;
    }
  }

  async #hold(signal: AbortSignal): Promise<SessionEnd> {
    const { connection, instanceId, work, resources, health, readLog, log, clock } = this.options;
    // The stream is made when a connection is; the channel tries every 2 s at most. With other
    // masters to turn to, it fails at once instead.
    const whenReady = new Metadata({ waitForReady: !connection.hasOthers });
    const session = new Session(connection.bots.heartbeat(whenReady), work, {
      identity: {
        ...{ botId: this.#botId, instanceId, stream: ++this.#streams },
        knowsOthers: connection.hasOthers,
      },
      resources,
      ...(health && { health }),
      readLog,
      log,
      ...(clock ? { clock } : {}),
      onWelcome: () => {
        this.#isAway = false;
        this.#isRefused = false;
        log.info({ master: connection.address }, 'master connected');
        this.options.onWelcome();
      },
    });
    this.#session = session;
    const onAbort = () => session.close();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const end = await session.ended;
    signal.removeEventListener('abort', onAbort);
    this.#session = undefined;
    // The stream's connection may lead nowhere, and none of its calls would come to know.
    if (end.code === givenUp || (connection.hasOthers && isOver(end))) connection.renew();
    // Forgotten there, its database is another one now, or its row is another bot's.
    // With another token it is another bot.
    const isOther = end.reason === botIsLive || end.code === Code.PERMISSION_DENIED;
    if (end.code === Code.NOT_FOUND || isOther) this.#botId = '';
    return end;
  }

  /** Once when the master goes, or does not take this bot; both may last. */
  #report(end: SessionEnd): void {
    const { log, connection, rivalAdvice } = this.options;
    if (isRivals(end) || isRefused(end)) {
      const hint = isRivals(end) ? { hint: rivalAdvice } : {};
      if (!this.#isRefused) log.warn({ why: end.why, ...hint }, 'bot refused');
      this.#isRefused = true;
    } else if (!this.#isAway) {
      log.warn({ master: connection.address, why: end.why }, 'master away');
    }
    this.#isAway = true;
  }
}

/** The master is gone, or sends its bots away. */
const isOver = ({ code, reconnectAfterMs }: SessionEnd) =>
  code === Code.UNAVAILABLE || reconnectAfterMs !== undefined;

/** Its token is not taken; it may be given another, or its clock be put right. */
const isRefused = ({ code }: SessionEnd) =>
  code === Code.UNAUTHENTICATED || code === Code.PERMISSION_DENIED;

const isRivals = ({ code, reason }: SessionEnd) => code === Code.ABORTED || reason === botIsLive;
