import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { NotFoundError } from '../../core/errors.js';
import type { ExplainBotResponse } from '../../gen/pandafuzz/v1/bot_service.js';
import type { ExplainJobResponse } from '../../gen/pandafuzz/v1/job_service.js';
import { getBot } from '../../store/ops/bots/get-bot.js';
import { getJob } from '../../store/ops/jobs/get-job.js';
import { listAhead } from '../../store/ops/scheduling/list-ahead.js';
import { listAvoided } from '../../store/ops/scheduling/list-avoided.js';
import { listQueues } from '../../store/ops/scheduling/list-queues.js';
import type { AvoidedRow, JobRow, QueueRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import type { Avoids } from '../bots/avoids.js';
import type { Holds } from '../bots/holds.js';
import type { SessionHandle, Sessions } from '../bots/sessions.js';
import { isStopWanted, type Leases } from '../leases/leases.js';
import type { Hold } from '../messages/records.js';
import { Violations } from '../messages/violations.js';
import type { FairShare } from '../scheduling/fair-share.js';
import { mismatches, needOf } from '../scheduling/matching.js';

/** Jobs ahead that are counted; more are reported as this many. */
const mostCounted = 10_000;
/** Queues that are read for a bot. */
const mostQueues = 1000;
/** Reasons of the same kind that are reported. */
const mostReasons = 10;
/** Bots that a job avoids and that are read. */
const mostAvoided = 1000;

export interface ExplainParts {
  readonly store: Pick<Store, 'run'>;
  readonly sessions: Sessions;
  readonly leases: Leases;
  readonly fairShare: FairShare;
  readonly holds: Holds;
  readonly avoids: Avoids;
  readonly clock: Clock;
}

/** Reasons for waiting, in sentences, by the same rules as the dispatcher's. */
export class Explain {
  constructor(private readonly parts: ExplainParts) {}

  /** @throws NotFoundError */
  async job(ctx: RequestContext, jobId: string): Promise<ExplainJobResponse> {
    new Violations().id(jobId, 'job_id').throwIfAny();
    const job = await this.parts.store.run(ctx, getJob, jobId);
    if (!job) throw new NotFoundError({ resource: 'job', id: jobId });
    if (job.state !== 'pending') {
      return { reasons: this.#notWaiting(job), rank: undefined, ahead: [] };
    }
    const [queue] = await this.parts.store.run(ctx, listQueues, {
      afterId: job.queue_id - 1,
      limit: 1,
    });
    const place = { id: job.id, queueId: job.queue_id, priority: job.priority };
    const ahead = await this.parts.store.run(ctx, listAhead, { ...place, limit: mostCounted });
    const avoided = await this.parts.store.run(ctx, listAvoided, { jobId, limit: mostAvoided });
    const reasons = [
      ...this.#times(job),
      ...this.#limits(job.campaign),
      ...(await this.#failedStarts(ctx, avoided)),
      ...(queue ? this.#fleet(queue, new Set(avoided.map(({ bot_id }) => bot_id))) : []),
      ...(ahead.count > 0 ? [`${counted(ahead.count)} of the same kind go first`] : []),
    ];
    return { reasons, rank: ahead.count, ahead: [...ahead.first] };
  }

  /** @throws NotFoundError */
  async bot(ctx: RequestContext, botId: string): Promise<ExplainBotResponse> {
    new Violations().id(botId, 'bot_id').throwIfAny();
    const bot = await this.parts.store.run(ctx, getBot, botId);
    if (!bot) throw new NotFoundError({ resource: 'bot', id: botId });
    const session = this.parts.sessions.of(botId);
    if (!session) return { reasons: ['it is offline: it holds no heartbeat stream'] };
    const warnings = session.health?.warnings ?? [];
    return { reasons: [...(await this.#ofBot(ctx, session)), ...warnings] };
  }

  async #ofBot(ctx: RequestContext, session: SessionHandle): Promise<string[]> {
    const { leases, holds, store } = this.parts;
    const { botId, health } = session;
    const running = leases.countOfBot(botId);
    if (session.isDraining) return [`it is being drained: it finishes the ${running} jobs it has`];
    if (health?.problem) return [`it takes no jobs until it is well: ${health.problem}`];
    const hold = holds.of(botId);
    if (hold) return [this.#heldBack(hold)];
    if (session.freeSlots === 0 && running > 0) return [];
    if (session.freeSlots === 0) return ['it has announced no free slot'];
    const queues = await store.run(ctx, listQueues, { afterId: 0, limit: mostQueues });
    return this.#unsuited(session, queues);
  }

  #heldBack({ failedStarts, untilMs, why }: Hold): string {
    const starts =
      failedStarts === 1
        ? `its last start failed: ${why}`
        : `its last ${failedStarts} starts failed, the last one so: ${why}`;
    if (untilMs === undefined) return `it gets one job at a time until one starts, as ${starts}`;
    return `it is held back for another ${this.#seconds(untilMs)} s, then it gets one job to try: ${starts}`;
  }

  /** Bots that the job avoids, in the words of each. */
  async #failedStarts(ctx: RequestContext, avoided: readonly AvoidedRow[]): Promise<string[]> {
    const reasons: string[] = [];
    for (const { bot_id, tries, message, until_at } of avoided.slice(0, mostReasons)) {
      const bot = await this.parts.store.run(ctx, getBot, bot_id);
      const often = tries === 1 ? '' : ` (${tries} times)`;
      const again = `it goes there again when the bot is restarted or well again, or if no other bot can take it in ${this.#seconds(until_at)} s`;
      reasons.push(`bot ${bot?.name ?? bot_id} could not start it${often}: ${message}; ${again}`);
    }
    return reasons;
  }

  #seconds(untilMs: number): number {
    return Math.max(Math.ceil((untilMs - this.parts.clock.now()) / 1000), 0);
  }

  #notWaiting(job: JobRow): string[] {
    switch (job.state) {
      case 'assigned':
        return [`it was offered to bot ${job.bot_id}, which has not answered yet`];
      case 'running': {
        if (!isStopWanted(job)) return [];
        const said =
          job.cancel_acknowledged_at === null ? 'has not acknowledged that yet' : 'is stopping it';
        return [`it is being ${wishOf(job)}: bot ${job.bot_id} ${said}`];
      }
      case 'paused':
        return ['it is paused, until somebody resumes it'];
      case 'dead':
        return [`it is dead: ${job.message ?? 'its attempts are used up'}; a retry revives it`];
      default:
        return [`it is ${job.state}`];
    }
  }

  #times(job: JobRow): string[] {
    if (job.delayed === 0 || job.ready_at === null) return [];
    const inSeconds = this.#seconds(job.ready_at);
    const why = job.attempt === 0 ? 'its not_before' : 'the pause after a failed attempt';
    return [`it may not start for another ${inSeconds} s (${why})`];
  }

  #limits(campaign: string): string[] {
    if (this.parts.fairShare.hasRoom(campaign)) return [];
    const { maxParallel } = this.parts.fairShare.termsOf(campaign);
    return [`its campaign runs ${maxParallel} jobs already, as many as it may at once`];
  }

  /** Reasons why no online bot takes jobs of this queue. */
  #fleet(queue: QueueRow, avoided: ReadonlySet<string>): string[] {
    const counts = new Map<string, number>();
    let online = 0;
    let free = 0;
    for (const session of this.parts.sessions.all()) {
      online++;
      const problems = unfit(session, queue);
      if (problems.length === 0) {
        if (session.isDraining) problems.push('is being drained');
        else if (session.health?.problem) problems.push('says that it cannot run jobs');
        else if (avoided.has(session.botId)) problems.push('could not start it');
        else if (session.isResting) problems.push('is held back, as its last starts failed');
        else if (session.freeSlots === 0) problems.push('has no free slot');
        else free++;
      }
      for (const problem of problems) counts.set(problem, (counts.get(problem) ?? 0) + 1);
    }
    if (online === 0) return ['no bot is online'];
    if (free > 0) return [];
    return [...counts]
      .sort(([, a], [, b]) => b - a)
      .slice(0, mostReasons)
      .map(([problem, count]) => `${count} of ${online} bots online: the bot ${problem}`);
  }

  #unsuited(session: SessionHandle, queues: readonly QueueRow[]): string[] {
    const waiting = queues.filter(({ pending }) => pending > 0);
    if (waiting.length === 0) return ['no job waits'];
    return waiting.slice(0, mostReasons).map((queue) => {
      const jobs = `${counted(queue.pending)} wait${queue.pending === 1 ? 's' : ''}`;
      const problems = unfit(session, queue);
      if (problems.length > 0) return `${jobs}, but this bot ${problems.join(' and ')}`;
      const [limit] = this.#limits(queue.campaign);
      if (limit) return `${jobs}, but ${limit}`;
      return this.parts.avoids.has(session.botId)
        ? `${jobs} for their time or their turn, or for other bots, as this one could not start them`
        : `${jobs} for their time or their turn`;
    });
  }
}

/** What is in the way of this bot, in words that follow "the bot". */
function unfit({ botId, offer }: SessionHandle, queue: QueueRow): string[] {
  const problems = mismatches(offer, needOf(queue));
  return botId === queue.other_than_bot_id ? [...problems, 'is the one not to run it'] : problems;
}

function wishOf(job: JobRow): string {
  if (job.cancel_requested_at !== null) return 'cancelled';
  if (job.pause_requested_at !== null) return 'paused';
  return 'stopped, as its time is over';
}

const counted = (jobs: number) =>
  jobs >= mostCounted ? `${mostCounted} jobs or more` : `${jobs} job${jobs === 1 ? '' : 's'}`;
