import { type Clock, sleep } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { NotFoundError, PreconditionError } from '../../core/errors.js';
import { Turns } from '../../core/turns.js';
import type { AssignJobRequest } from '../../gen/pandafuzz/v1/job_service.js';
import type { Assignment } from '../../gen/pandafuzz/v1/lease.js';
import { getBot } from '../../store/ops/bots/get-bot.js';
import type { BotRow, ClaimedJob } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import type { Holds } from '../bots/holds.js';
import type { Leases } from '../leases/leases.js';
import { assignmentOf } from '../messages/assignment.js';
import { type JobSecrets, revealIn } from '../messages/job-secrets.js';
import { Violations } from '../messages/violations.js';
import type { Dispatch, Taker } from '../scheduling/dispatch.js';
import { offerOf } from '../scheduling/matching.js';
import type { Reaper } from '../scheduling/reaper.js';

/** Reads at once: of calls that begin together, as many may wait as limits.max_waits has. */
const readsAtOnce = 128;
/** Time that is left for the answer to reach the bot before its deadline. */
const answerMs = 100;

export interface PullParts {
  readonly store: Store;
  readonly leases: Leases;
  readonly dispatch: Dispatch;
  readonly reaper: Reaper;
  readonly clock: Clock;
  readonly holds: Holds;
  readonly defaultTtlMs: number;
  readonly secrets: JobSecrets;
}

/** AssignJob: the same claim as the stream's, for one job of one call. */
export class Pull {
  readonly #turns = new Turns(readsAtOnce);

  constructor(private readonly parts: PullParts) {}

  /** @returns undefined if no job arrived in time */
  async assign(ctx: RequestContext, request: AssignJobRequest): Promise<Assignment | undefined> {
    new Violations()
      .id(request.botId, 'bot_id')
      .whole(request.waitMs, 'wait_ms', { min: 0, max: 60_000 })
      .expect(
        request.leaseTtlMs === 0 ||
          (request.leaseTtlMs >= 1000 && request.leaseTtlMs <= 86_400_000),
        'lease_ttl_ms',
        'must be 1000 to 86400000, or 0 for the default',
      )
      .throwIfAny();
    const bot = await this.#turns.run(ctx.signal, () =>
      this.parts.store.run(ctx, getBot, request.botId),
    );
    if (!bot) throw new NotFoundError({ resource: 'bot', id: request.botId });
    const ttlMs = request.leaseTtlMs || this.parts.defaultTtlMs;
    const waitMs = await this.#whileHeld(ctx, bot.id, request.waitMs);
    if (waitMs === undefined) return undefined;
    const job = await this.#wait(ctx, bot, ttlMs, waitMs);
    if (!job) return undefined;
    const lease = this.parts.leases.ofJob(job.id);
    const remaining = lease?.fence === job.fence ? this.parts.leases.remainingMs(lease) : ttlMs;
    const assignment = assignmentOf(job, remaining);
    const problem = revealIn(assignment, this.parts.secrets, ctx.isPrivate ?? false);
    if (problem === undefined) return assignment;
    if (lease?.fence === job.fence) this.parts.reaper.release(lease, 'rejected', problem);
    throw new PreconditionError({ reason: 'SECRET_NOT_READABLE', why: problem });
  }

  /**
   * Waits while the bot is held back.
   *
   * @returns the rest of the wait; undefined: it is over
   */
  async #whileHeld(ctx: RequestContext, botId: string, waitMs: number) {
    const { holds, clock } = this.parts;
    const heldMs = holds.heldForMs(botId);
    if (heldMs === 0) return waitMs;
    const leftMs = ctx.deadline - clock.monotonic() - answerMs;
    const pauseMs = Math.min(heldMs, waitMs, leftMs);
    if (pauseMs <= 0) return undefined;
    await sleep(clock, pauseMs, ctx.signal);
    return heldMs < waitMs ? waitMs - heldMs : undefined;
  }

  /** Waits as a taker until a job arrives, the wait ends or the caller leaves. */
  #wait(ctx: RequestContext, bot: BotRow, ttlMs: number, waitMs: number) {
    if (bot.drain_requested_at !== null) return undefined;
    const answer = Promise.withResolvers<ClaimedJob | undefined>();
    const taker: Taker = {
      botId: bot.id,
      offer: offerOf(bot),
      ttlMs,
      acknowledged: true,
      credit: 1,
      claiming: 0,
      gone: false,
      receive: (job) => {
        const lease = this.parts.leases.grant(job, taker);
        if (taker.gone)
          this.parts.reaper.release(lease, 'unanswered', 'the caller left before the answer');
        else answer.resolve(job);
      },
      missed: () => {
        if (waitMs === 0) answer.resolve(undefined);
      },
    };
    const leftMs = ctx.deadline - this.parts.clock.monotonic() - answerMs;
    const timer = this.parts.clock.schedule(Math.min(waitMs || leftMs, leftMs), () =>
      answer.resolve(undefined),
    );
    const onAbort = () => answer.reject(ctx.signal.reason);
    ctx.signal.addEventListener('abort', onAbort, { once: true });
    this.parts.dispatch.creditChanged(taker);
    if (waitMs === 0 && taker.claiming === 0) answer.resolve(undefined);
    return answer.promise.finally(() => {
      timer.cancel();
      ctx.signal.removeEventListener('abort', onAbort);
      this.parts.dispatch.leave(taker);
    });
  }
}
