import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { NotFoundError } from '../../core/errors.js';
import type { ExplainBotResponse } from '../../gen/pandafuzz/v1/bot_service.js';
import type { ExplainJobResponse } from '../../gen/pandafuzz/v1/job_service.js';
import { getBot } from '../../store/ops/bots/get-bot.js';
import { getJob } from '../../store/ops/jobs/get-job.js';
import { listAhead } from '../../store/ops/scheduling/list-ahead.js';
import { listQueues } from '../../store/ops/scheduling/list-queues.js';
import type { JobRow, QueueRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import type { SessionHandle, Sessions } from '../bots/sessions.js';
import { isStopWanted, type Leases } from '../leases/leases.js';
import { Violations } from '../messages/violations.js';
import type { FairShare } from '../scheduling/fair-share.js';
import { mismatches, needOf } from '../scheduling/matching.js';

/** Jobs ahead that are counted; more are reported as this many. */
const mostCounted = 10_000;
/** Queues that are read for a bot. */
const mostQueues = 1000;
/** Reasons of the same kind that are reported. */
const mostReasons = 10;

export interface ExplainParts {
  readonly store: Pick<Store, 'run'>;
  readonly sessions: Sessions;
  readonly leases: Leases;
  readonly fairShare: FairShare;
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
    const reasons = [
      ...this.#times(job),
      ...this.#limits(job.campaign),
      ...(queue ? this.#fleet(queue) : []),
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
    const running = this.parts.leases.countOfBot(botId);
    if (session.isDraining) {
      return { reasons: [`it is being drained: it finishes the ${running} jobs it has`] };
    }
    if (session.isResting) {
      return { reasons: ['it rests for a while: its last runs ended with INFRASTRUCTURE'] };
    }
    if (session.freeSlots === 0 && running > 0) return { reasons: [] };
    if (session.freeSlots === 0) return { reasons: ['it has announced no free slot'] };
    const queues = await this.parts.store.run(ctx, listQueues, { afterId: 0, limit: mostQueues });
    return { reasons: this.#unsuited(session, queues) };
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
        return ['it is paused: ResumeJob lets it go on'];
      case 'dead':
        return [`it is dead: ${job.message ?? 'its attempts are used up'}; RetryJob revives it`];
      default:
        return [`it is ${job.state}`];
    }
  }

  #times(job: JobRow): string[] {
    if (job.delayed === 0 || job.ready_at === null) return [];
    const inSeconds = Math.max(Math.ceil((job.ready_at - this.parts.clock.now()) / 1000), 0);
    const why = job.attempt === 0 ? 'its not_before' : 'the pause after a failed attempt';
    return [`it may not start for another ${inSeconds} s (${why})`];
  }

  #limits(campaign: string): string[] {
    if (this.parts.fairShare.hasRoom(campaign)) return [];
    const { maxParallel } = this.parts.fairShare.termsOf(campaign);
    return [`its campaign runs ${maxParallel} jobs already, as many as it may at once`];
  }

  /** Reasons why no online bot takes jobs of this queue. */
  #fleet(queue: QueueRow): string[] {
    const need = needOf(queue);
    const counts = new Map<string, number>();
    let online = 0;
    let free = 0;
    for (const session of this.parts.sessions.all()) {
      online++;
      const problems = mismatches(session.offer, need);
      if (problems.length === 0) {
        if (session.isDraining) problems.push('is being drained');
        else if (session.isResting) problems.push('rests for a while after INFRASTRUCTURE');
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
      const problems = mismatches(session.offer, needOf(queue));
      if (problems.length > 0) return `${jobs}, but this bot ${problems.join(' and ')}`;
      const [limit] = this.#limits(queue.campaign);
      return limit ? `${jobs}, but ${limit}` : `${jobs} for their time or their turn`;
    });
  }
}

function wishOf(job: JobRow): string {
  if (job.cancel_requested_at !== null) return 'cancelled';
  if (job.pause_requested_at !== null) return 'paused';
  return 'stopped, as its time is over';
}

const counted = (jobs: number) =>
  jobs >= mostCounted ? `${mostCounted} jobs or more` : `${jobs} job${jobs === 1 ? '' : 's'}`;
