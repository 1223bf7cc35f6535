import type { RequestContext } from '../../core/context.js';
import {
  CancelledError,
  NotFoundError,
  PreconditionError,
  ReplacedError,
  ShuttingDownError,
} from '../../core/errors.js';
import type { Hello, ResumedLease } from '../../gen/pandafuzz/v1/heartbeat.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import { enterBot, leaveBot } from '../../store/ops/bots/enter-bot.js';
import { getBot } from '../../store/ops/bots/get-bot.js';
import type { BotRow } from '../../store/rows.js';
import type { LiveLease } from '../leases/leases.js';
import type { SessionParts } from './parts.js';

/** Longest that heartbeat data may be late on disk, in heartbeat intervals. */
const lateBeats = 3;

/**
 * Who says Hello, and whether its stream is the one that counts. In a cluster the bot's leases
 * come to this master, wherever they were.
 *
 * @throws NotFoundError, CancelledError, ReplacedError, PreconditionError
 */
export async function enter(
  ctx: RequestContext,
  hello: Hello,
  arrival: number,
  parts: SessionParts & { isOver: () => boolean },
): Promise<BotRow> {
  const { store, sessions, clock } = parts;
  const bot = await store.run(ctx, getBot, hello.botId);
  if (!bot) throw new NotFoundError({ resource: 'bot', id: hello.botId });
  // The stream has ended: nothing would ever remove a session made now.
  if (parts.isOver()) throw new CancelledError();
  // A newer stream of the same bot was faster.
  if ((sessions.of(bot.id)?.arrival ?? 0) > arrival) throw new ReplacedError();
  sessions.expectNoRival(bot, hello.instanceId, { now: clock.now(), log: ctx.log });
  if (!store.cluster) return bot;
  await takeLeases(ctx, hello, parts);
  parts.holds.asOnDisk(bot);
  if (parts.isOver()) throw new CancelledError();
  if ((sessions.of(bot.id)?.arrival ?? 0) > arrival) throw new ReplacedError();
  return bot;
}

/**
 * The leases that the bot names, kept or not. One that it does not name (an Assign lost with
 * the stream, a restarted bot) is taken back.
 */
export function resume(
  hello: Hello,
  { leases, reaper }: SessionParts,
  holds: (lease: Lease) => LiveLease | undefined,
): ResumedLease[] {
  const kept = new Set<LiveLease>();
  const resumed = hello.leases.map((lease): ResumedLease => {
    const live = holds(lease);
    if (live) kept.add(live);
    return { lease, keep: live !== undefined, cancelRequested: live?.stopRequested ?? false };
  });
  for (const live of leases.ofBot(hello.botId)) {
    if (kept.has(live) || live.pulled) continue;
    reaper.release(live, 'lost', 'the bot came back without it');
  }
  return resumed;
}

async function takeLeases(ctx: RequestContext, hello: Hello, parts: SessionParts): Promise<void> {
  const { store, clock, intervals, leases, reaper } = parts;
  // Taken for dead by the others, it could keep nothing that it takes: the bot turns to another.
  if (store.cluster?.isMember === false) throw new ShuttingDownError({ retryAfterMs: 0 });
  const master = store.cluster?.id ?? 0;
  const { botId, instanceId } = hello;
  const liveSince = clock.now() - lateBeats * intervals.heartbeatMs;
  const now = clock.now();
  const input = { botId, instanceId, stream: hello.stream ?? 0, master, liveSince, now };
  const entered = await store.run(ctx, enterBot, input);
  if (entered.as === 'late') throw new ReplacedError();
  if (entered.as === 'rival') {
    const why =
      'another process of this bot is live at another master: it runs twice, or its work folder is a copy of that of another bot';
    throw new PreconditionError({ reason: 'BOT_IS_LIVE', why });
  }
  // Declared dead meanwhile, this master has given up what it took.
  if (store.cluster?.id !== master) throw new ReplacedError();
  for (const row of entered.leases) if (!reaper.isEnding(row)) leases.restore(row);
}

/** Names the stream of a bot among those of all masters of a cluster. */
export interface BotTie {
  readonly botId: string;
  readonly instanceId: string;
  readonly stream: number;
  readonly master: number;
}

export function tieOf(hello: Hello, { store }: SessionParts): BotTie | undefined {
  if (!store.cluster) return undefined;
  const { botId, instanceId, stream = 0 } = hello;
  return { botId, instanceId, stream, master: store.cluster.id };
}

/** The stream has ended: unless the bot has another one by now, no master has it. */
export function leave(
  tie: BotTie | undefined,
  { store, sessions, inBackground, log }: SessionParts,
): void {
  if (!tie || sessions.of(tie.botId)) return;
  inBackground(leaveBot.name, (ctx) => store.run(ctx, leaveBot, tie)).catch((error) =>
    log.warn({ bot: tie.botId, err: error }, 'end of a stream not stored'),
  );
}
