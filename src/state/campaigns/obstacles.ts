import type { Clock } from '../../core/clock.js';
import type { LoadedCampaign } from '../../store/campaign-rows.js';
import type { QueueRow } from '../../store/rows.js';
import type { SessionHandle, Sessions } from '../bots/sessions.js';
import type { FairShare } from '../scheduling/fair-share.js';
import { mismatches, needOf } from '../scheduling/matching.js';
import { specOf } from './records.js';
import { heldFor } from './shares-in.js';
import { isOpen, nextEdge } from './windows.js';

/** Reasons of one kind that are reported. */
const mostReasons = 10;

export interface CampaignObstaclesParts {
  readonly sessions: Pick<Sessions, 'all'>;
  readonly fairShare: Pick<FairShare, 'hasRoom' | 'termsOf'>;
  readonly clock: Clock;
}

/** What keeps a campaign from running, or from running more, in sentences. */
export class CampaignObstacles {
  constructor(private readonly parts: CampaignObstaclesParts) {}

  of({ campaign, arms, queues }: LoadedCampaign): string[] {
    const { state, state_reason: reason } = campaign;
    const because = reason === '' ? '' : `: ${reason}`;
    if (state === 'archived') return ['it is archived'];
    if (state === 'paused') return [`it is paused${because}, until somebody resumes it`];
    if (state === 'ended') {
      return [`it has ended${because}; an update of what ends it, or resuming it, wakes it`];
    }
    const spec = specOf(campaign);
    const now = this.parts.clock.now();
    const seconds = Math.ceil(((spec.notBefore?.getTime() ?? 0) - now) / 1000);
    if (seconds > 0) return [`it begins in ${seconds} s (its not_before)`];
    if (!isOpen(spec, now)) {
      const edge = new Date(nextEdge(spec, now) ?? now).toISOString();
      return [`it is outside of its windows of time until ${edge}, or a later one of them`];
    }
    return [...this.#limit(campaign.key), ...heldBuilds(arms), ...this.#fleet(arms, queues)];
  }

  #limit(key: string): string[] {
    if (this.parts.fairShare.hasRoom(key)) return [];
    const { maxParallel } = this.parts.fairShare.termsOf(key);
    return [`it runs ${maxParallel} jobs already, as many as it may at once`];
  }

  /** For each queue: why no bot takes a run of its builds now. */
  #fleet(arms: LoadedCampaign['arms'], queues: readonly QueueRow[]): string[] {
    const sessions = [...this.parts.sessions.all()];
    if (sessions.length === 0) return ['no bot is online'];
    const reasons: string[] = [];
    for (const queue of queues) {
      const builds = arms.filter(({ queue_id }) => queue_id === queue.id);
      const names = builds.map(({ build }) => build).join(', ');
      reasons.push(...ofQueue(queue, sessions).map((why) => `${names}: ${why}`));
    }
    return reasons;
  }
}

const heldBuilds = (arms: LoadedCampaign['arms']): string[] =>
  arms.flatMap((arm) => {
    const why = heldFor(arm);
    const whatToDo = 'UpdateCampaign with a mended build, or ResumeCampaign, tries it at once';
    return why === '' ? [] : [`${arm.build} is ${why}; ${whatToDo}`];
  });

function ofQueue(queue: QueueRow, sessions: readonly SessionHandle[]): string[] {
  const counts = new Map<string, number>();
  for (const session of sessions) {
    const problems = mismatches(session.offer, needOf(queue));
    if (session.botId === queue.other_than_bot_id) problems.push('is the one not to run it');
    if (problems.length === 0) problems.push(...busy(session));
    if (problems.length === 0) return [];
    for (const problem of problems) counts.set(problem, (counts.get(problem) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, mostReasons)
    .map(([problem, count]) => `${count} of ${sessions.length} bots online: the bot ${problem}`);
}

function busy(session: SessionHandle): string[] {
  if (session.isDraining) return ['is being drained'];
  if (session.health?.problem) return ['says that it cannot run jobs'];
  if (session.isResting) return ['is held back, as its last starts failed'];
  return session.freeSlots === 0 ? ['has no free slot'] : [];
}
