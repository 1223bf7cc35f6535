import type { Timer } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { QuotaError, TimeoutError, ValidationError } from '../../core/errors.js';
import { RateLimit } from '../../core/rate-limit.js';
import type { BotServiceServer } from '../../gen/pandafuzz/v1/bot_service.js';
import type {
  HeartbeatRequest,
  HeartbeatResponse,
  Hello,
} from '../../gen/pandafuzz/v1/heartbeat.js';
import { BotSession, type Outgoing } from '../../state/heartbeat/session.js';
import type { State } from '../../state/state.js';
import type { Adapter } from '../adapter.js';
import type { Receive } from '../calls.js';
import type { SendQueue } from '../streams/send-queue.js';

export function botHandlers(
  { bots, explain, logs, own, tokens, sessionParts }: State,
  adapt: Adapter,
) {
  return {
    registerBot: adapt.unary('work', async (request, ctx) => {
      const bot = await bots.register(ctx, request);
      tokens.bind(ctx.principal, bot.id);
      return { bot };
    }),
    heartbeat: adapt.bidiStream((receive, ctx, sendQueue) =>
      new HeartbeatStream({ ...sessionParts, own }, ctx, sendQueue).serve(receive),
    ),
    drainBot: adapt.unary('work', async (request, ctx) => ({
      bot: await bots.drain(ctx, request.botId, true),
    })),
    resumeBot: adapt.unary('work', async (request, ctx) => ({
      bot: await bots.drain(ctx, request.botId, false),
    })),
    deleteBot: adapt.unary('work', async (request, ctx) => {
      await bots.forget(ctx, request.botId);
      return {};
    }),
    explainBot: adapt.unary('read', (request, ctx) => explain.bot(ctx, request.botId)),
    readBotLog: adapt.unary('read', (request, ctx) => logs.ofBot(ctx, request)),
    getBot: adapt.unary('read', async (request, ctx) => ({
      bot: await bots.get(ctx, request.botId),
    })),
    listBots: adapt.unary('read', (request, ctx) => bots.list(ctx, request)),
  } satisfies BotServiceServer;
}

/** One bot's stream: the first message opens its session, the others are for that to hear. */
class HeartbeatStream implements Outgoing {
  /** One promise for all its ends: what a stream keeps, ten thousand keep. */
  readonly #over = Promise.withResolvers<void>();
  #session: BotSession | undefined;
  #helloTimer: Timer | undefined;
  readonly #rate: RateLimit;

  constructor(
    private readonly parts: State['sessionParts'] & Pick<State, 'own'>,
    private readonly ctx: RequestContext,
    private readonly sendQueue: SendQueue<HeartbeatResponse>,
  ) {
    this.#rate = new RateLimit(parts.messageRate, parts.clock);
  }

  async serve(receive: Receive<HeartbeatRequest>): Promise<void> {
    const { signal } = this.ctx;
    signal.addEventListener('abort', () => this.#over.reject(signal.reason), { once: true });
    this.#awaitHello();
    receive((request) => this.#hear(request)).then(this.#over.resolve, this.#over.reject);
    try {
      await this.#over.promise;
    } finally {
      this.#helloTimer?.cancel();
      this.#session?.end();
    }
  }

  send(message: HeartbeatResponse): void {
    try {
      this.sendQueue.send(message);
    } catch (error) {
      this.#over.reject(error);
    }
  }

  sendLatest(message: HeartbeatResponse): void {
    try {
      this.sendQueue.sendLatest(message);
    } catch (error) {
      this.#over.reject(error);
    }
  }

  fail(error: Error): void {
    this.#over.reject(error);
  }

  isOver(): boolean {
    return this.ctx.signal.aborted;
  }

  /** A stream without Hello belongs to no bot, and would stay for as long as its connection. */
  #awaitHello(): void {
    const { clock, intervals } = this.parts;
    const error = new TimeoutError({ operation: 'Hello', durationMs: intervals.helloMs });
    this.#helloTimer = clock.schedule(intervals.helloMs, () => this.#over.reject(error));
  }

  #hear(request: HeartbeatRequest): Promise<void> | undefined {
    if (this.#helloTimer) {
      this.#helloTimer.cancel();
      this.#helloTimer = undefined;
    }
    if (!this.#rate.take()) throw tooMany(this.parts.messageRate.perSecond);
    if (!this.#session) return this.#open(request);
    if (!this.#session.gone) this.#session.hear(request);
    return undefined;
  }

  async #open(request: HeartbeatRequest): Promise<void> {
    const { parts } = this;
    const { log, principal, isPrivate = false } = this.ctx;
    const hello = helloOf(request);
    parts.own.bot(this.ctx, hello.botId);
    this.#session = await parts.inBackground('heartbeat_hello', (ctx) => {
      const { signal, deadline, requestId } = ctx;
      const whole = { signal, deadline, requestId, principal, log, isPrivate };
      return BotSession.open(whole, hello, parts, this);
    });
  }
}

const tooMany = (perSecond: number) =>
  new QuotaError({
    subject: 'limits.max_messages_per_second',
    why: `this stream sends more than ${perSecond} messages a second (limits.max_messages_per_second): is the bot in a loop?`,
  });

function helloOf({ message }: HeartbeatRequest): Hello {
  if (message?.$case === 'hello') return message.value;
  const problem = 'the first message of a stream must be Hello';
  throw new ValidationError({ violations: [{ path: 'message', problem }] });
}
