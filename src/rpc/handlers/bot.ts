import { orAbort, type RequestContext } from '../../core/context.js';
import { ValidationError } from '../../core/errors.js';
import type { BotServiceServer } from '../../gen/pandafuzz/v1/bot_service.js';
import type {
  HeartbeatRequest,
  HeartbeatResponse,
  Hello,
} from '../../gen/pandafuzz/v1/heartbeat.js';
import { BotSession } from '../../state/session.js';
import type { State } from '../../state/state.js';
import type { Adapter, BidiStream } from '../adapter.js';

export function botHandlers({ bots, explain, sessionParts }: State, adapt: Adapter) {
  return {
    registerBot: adapt.unary('work', async (request, ctx) => ({
      bot: await bots.register(ctx, request),
    })),
    heartbeat: adapt.bidiStream(heartbeat(sessionParts)),
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
    getBot: adapt.unary('read', async (request, ctx) => ({
      bot: await bots.get(ctx, request.botId),
    })),
    listBots: adapt.unary('read', (request, ctx) => bots.list(ctx, request)),
  } satisfies BotServiceServer;
}

/** One bot's stream: the first message opens its session, the others are for that to hear. */
function heartbeat(parts: State['sessionParts']): BidiStream<HeartbeatRequest, HeartbeatResponse> {
  return async (listen, ctx, outbox) => {
    const failed = Promise.withResolvers<never>();
    let session: BotSession | undefined;
    const orFail = (send: () => void) => {
      try {
        send();
      } catch (error) {
        failed.reject(error);
      }
    };
    const outgoing = {
      send: (message: HeartbeatResponse) => orFail(() => outbox.send(message)),
      sendLatest: (message: HeartbeatResponse) => orFail(() => outbox.sendLatest(message)),
      fail: (error: Error) => failed.reject(error),
      isOver: () => ctx.signal.aborted,
    };
    const hear = (request: HeartbeatRequest) => {
      if (!session) return open(request, ctx);
      if (!session.gone) session.hear(request);
      return undefined;
    };
    const open = async (request: HeartbeatRequest, { log }: RequestContext) => {
      session = await parts.inBackground('heartbeat_hello', (deadline) =>
        BotSession.open(
          { ...deadline, signal: deadline.signal, log },
          helloOf(request),
          parts,
          outgoing,
        ),
      );
    };
    try {
      await orAbort(ctx.signal, Promise.race([listen(hear), failed.promise]));
    } finally {
      session?.end();
    }
  };
}

function helloOf({ message }: HeartbeatRequest): Hello {
  if (message?.$case === 'hello') return message.value;
  const problem = 'the first message of a stream must be Hello';
  throw new ValidationError({ violations: [{ path: 'message', problem }] });
}
