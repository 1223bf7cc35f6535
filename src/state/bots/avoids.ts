import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import type { AvoidTimes } from '../../store/ops/jobs/avoid-bot.js';
import { type DueAvoided, dueAvoided } from '../../store/ops/scheduling/due-avoided.js';
import { forgiveBot } from '../../store/ops/scheduling/forgive-bot.js';
import { listAvoided, listAvoidedBots } from '../../store/ops/scheduling/list-avoided.js';
import { settleAvoided } from '../../store/ops/scheduling/settle-avoided.js';
import type { JobStateName } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import type { Dispatch } from '../scheduling/dispatch.js';
import type { SessionHandle, Sessions } from './sessions.js';

/** Time for other bots to take the job, if there are none: doubled with each try there. */
export const avoidTimes: AvoidTimes = { avoidFirstMs: 5000, avoidMaxMs: 600_000 };

/** Interval of looks. */
const intervalMs = 1000;
/** Rows in one look; the rest waits for the next. */
const sliceSize = 100;
/** While another bot can take a job, it is looked at again after so long. */
const againMs = 5000;
/** Bots that one job avoids and that are looked at. */
const mostBots = 1000;

export interface AvoidsParts {
  readonly store: Pick<Store, 'run'>;
  readonly sessions: Sessions;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
}

/**
 * Jobs that avoid a bot on which they could not start. The claim passes over them
 * (store/ops/scheduling/claim-job.ts); here they are given back to the bot: when it is well
 * again or was restarted, and after a time that grows with each try, unless another bot
 * that is online can take the job. A look costs as much as rows are due.
 */
export class Avoids {
  /** Bots that some job avoids, and the number of the look at which each was last added. */
  readonly #bots = new Map<string, number>();
  /** Writes under way that may add a row for a bot. */
  readonly #adding = new Map<string, number>();
  readonly #task: PeriodicTask;
  readonly #forgiving = new Set<Promise<void>>();
  #looks = 0;

  constructor(private readonly parts: AvoidsParts) {
    const { clock, log } = parts;
    const work = () => this.look();
    this.#task = new PeriodicTask({ clock, log, intervalMs, name: 'look at failed starts', work });
  }

  /** Whether a claim of this bot that finds nothing says nothing about its queues. */
  has(botId: string): boolean {
    return this.#bots.has(botId) || this.#adding.has(botId);
  }

  /** To be called before a write that may add a row for the bot. @returns to be called after it */
  adding(botId: string): () => void {
    this.#adding.set(botId, (this.#adding.get(botId) ?? 0) + 1);
    return () => {
      this.#bots.set(botId, this.#looks);
      const left = (this.#adding.get(botId) ?? 1) - 1;
      if (left > 0) this.#adding.set(botId, left);
      else this.#adding.delete(botId);
    };
  }

  /** Gives the bot everything back that it could not start. */
  forgive(botId: string): void {
    if (!this.has(botId)) return;
    const forgiving = this.#forgive(botId, null)
      .catch((error) => this.parts.log.warn({ err: error, bot: botId }, 'bot not forgiven'))
      .finally(() => this.#forgiving.delete(forgiving));
    this.#forgiving.add(forgiving);
  }

  /** Loads the bots that jobs of an earlier process avoid. */
  async restore(): Promise<void> {
    await this.#refresh();
  }

  start(): void {
    this.#task.start();
  }

  async stop(): Promise<void> {
    await this.#task.stop();
    await Promise.all(this.#forgiving);
  }

  async look(): Promise<void> {
    if (this.#bots.size === 0) return;
    this.#looks++;
    const { store, inBackground, clock } = this.parts;
    const now = clock.now();
    const input = { now, limit: sliceSize };
    const due = await inBackground('due_avoided', (ctx) => store.run(ctx, dueAvoided, input));
    const forgiven = new Map<string, string[]>();
    const again: { botId: string; jobId: string; untilAt: number }[] = [];
    const takers = new Map<number, readonly SessionHandle[]>();
    await this.parts.dispatch.know(due.map(({ queue_id }) => queue_id));
    for (const row of due) {
      const { bot_id: botId, job_id: jobId, queue_id: queueId, state } = row;
      if (isOver(state)) continue;
      const others = takers.get(queueId) ?? this.takersOf(queueId) ?? [];
      takers.set(queueId, others);
      if (state === 'pending' && !(await this.#hasOther(row, others))) {
        forgiven.set(botId, [...(forgiven.get(botId) ?? []), jobId]);
      } else again.push({ botId, jobId, untilAt: now + againMs });
    }
    const ended = due.filter(({ state }) => isOver(state)).map(({ job_id }) => job_id);
    if (again.length + ended.length > 0) {
      const settled = { again, ended };
      await inBackground('settle_avoided', (ctx) => store.run(ctx, settleAvoided, settled));
    }
    for (const [botId, jobIds] of forgiven) await this.#forgive(botId, jobIds);
    await this.#refresh();
  }

  /** Bots online that take jobs of this queue, busy ones included; undefined: not in memory. */
  takersOf(queueId: number): readonly SessionHandle[] | undefined {
    const queue = this.parts.dispatch.requirementsOf(queueId);
    if (!queue) return undefined;
    return this.parts.sessions.takers(queue.need, queue.otherThanBotId);
  }

  async #hasOther(row: DueAvoided, takers: readonly SessionHandle[]): Promise<boolean> {
    const others = takers.filter(({ botId }) => botId !== row.bot_id);
    if (others.length === 0) return false;
    const { store, inBackground } = this.parts;
    const input = { jobId: row.job_id, limit: mostBots };
    const avoided = await inBackground('list_avoided', (ctx) => store.run(ctx, listAvoided, input));
    const ids = new Set(avoided.map(({ bot_id }) => bot_id));
    return others.some(({ botId }) => !ids.has(botId));
  }

  async #forgive(botId: string, jobIds: readonly string[] | null): Promise<void> {
    const { store, inBackground, dispatch } = this.parts;
    const input = { botId, jobIds, limit: mostBots };
    for (;;) {
      const done = await inBackground('forgive_bot', (ctx) => store.run(ctx, forgiveBot, input));
      for (const queueId of done.queues) dispatch.jobPending(queueId);
      if (jobIds !== null || done.count < mostBots) return;
    }
  }

  /** Removes bots that no job avoids any more; those that were added meanwhile stay. */
  async #refresh(): Promise<void> {
    const look = this.#looks;
    const { store, inBackground } = this.parts;
    const found = new Set<string>();
    for (let afterBotId = ''; ; ) {
      const page = { afterBotId, limit: mostBots };
      const rows = await inBackground('list_avoided_bots', (ctx) =>
        store.run(ctx, listAvoidedBots, page),
      );
      for (const { bot_id } of rows) found.add(bot_id);
      if (rows.length < mostBots) break;
      afterBotId = rows.at(-1)?.bot_id ?? '';
    }
    for (const [botId, addedAt] of this.#bots) {
      if (!found.has(botId) && addedAt < look && !this.#adding.has(botId)) this.#bots.delete(botId);
    }
    for (const botId of found) if (!this.#bots.has(botId)) this.#bots.set(botId, look);
  }
}

const isOver = (state: JobStateName) =>
  state === 'completed' || state === 'cancelled' || state === 'dead';
