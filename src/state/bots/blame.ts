import type { Logger } from '../../core/log.js';
import type { Metrics } from '../../metrics.js';
import type { AvoidTimes } from '../../store/ops/jobs/avoid-bot.js';
import type { StartTroubleName, ToldOutcome } from '../../store/rows.js';
import type { LiveLease } from '../leases/leases.js';
import { type Avoids, avoidTimes } from './avoids.js';
import type { Holds } from './holds.js';
import { ProvenBuilds } from './proven-builds.js';
import type { Sessions } from './sessions.js';

/** An attempt that ended, as its bot reported it. */
export interface ToldEnd {
  readonly outcome: ToldOutcome | 'not_stopped';
  readonly trouble: StartTroubleName | null;
  /** For people. */
  readonly message: string;
}

/** What the store has to know to end the attempt. */
export interface Judgement {
  readonly isProven: boolean;
  /** Present: the job is for other bots now. */
  readonly avoid?: AvoidTimes;
  /** To be called when the store has answered, or will not. */
  readonly stored: () => void;
}

export interface BlameParts {
  readonly sessions: Sessions;
  readonly holds: Holds;
  readonly avoids: Avoids;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'failedStarts'>;
}

const nothing: Judgement = { isProven: false, stored: () => {} };

/**
 * Whose trouble it was that a run did not start or had to be given up:
 *
 *   the bot's     INFRASTRUCTURE. It costs the job nothing. The job avoids the bot
 *                 (avoids.ts); a bot on which it happens again and again is held back
 *                 (holds.ts).
 *   the target's  a FAILED that is final; or a second bot that lacks the same as the first
 *                 (store/ops/jobs/accuse-target.ts), unless the build has run anywhere.
 */
export class Blame {
  readonly #builds = new ProvenBuilds();
  /** Processes of bots with failures. */
  readonly #instances = new Map<string, string>();

  constructor(private readonly parts: BlameParts) {}

  /** An attempt ends by trouble of its bot; others end without a judgement. */
  judge(lease: LiveLease | undefined, { outcome, trouble }: ToldEnd): Judgement {
    if (!lease || (outcome !== 'infrastructure' && outcome !== 'not_stopped')) return nothing;
    const { avoids } = this.parts;
    const isProven = lease.build !== undefined && this.#builds.has(lease.build);
    const isStated = trouble !== null || outcome === 'not_stopped';
    if (!isStated && !this.#hasOther(lease)) return { isProven, stored: () => {} };
    return { isProven, avoid: avoidTimes, stored: avoids.adding(lease.botId) };
  }

  /** The end of an attempt is on disk. */
  ended(lease: LiveLease, told: ToldEnd, isTargetToBlame = false): void {
    const { outcome, trouble } = told;
    if (outcome === 'completed') this.proved(lease);
    if (outcome === 'failed') this.parts.holds.worked(lease.botId, lease.grantedAt);
    if (outcome !== 'infrastructure' && outcome !== 'not_stopped') return;
    const { metrics, log, sessions, holds } = this.parts;
    const { botId: bot, jobId: job } = lease;
    metrics.failedStarts.inc({ blame: isTargetToBlame ? 'target' : 'bot' });
    if (isTargetToBlame) {
      log.info({ bot, job }, 'target blamed');
      return;
    }
    this.#instances.set(bot, sessions.of(bot)?.instanceId ?? '');
    holds.failed(bot, {
      why: told.message,
      isStated: trouble !== null || outcome === 'not_stopped',
    });
  }

  /** The run has executed inputs. */
  proved(lease: LiveLease): void {
    lease.isProven = true;
    if (lease.build !== undefined) this.#builds.add(lease.build);
    this.parts.holds.worked(lease.botId, lease.grantedAt);
  }

  /** A bot has come: one that was restarted may be well again. */
  came(botId: string, instanceId: string): void {
    const { holds, avoids } = this.parts;
    if (!holds.of(botId) && !avoids.has(botId)) {
      this.#instances.delete(botId);
      return;
    }
    const before = this.#instances.get(botId);
    this.#instances.set(botId, instanceId);
    if (before && before !== instanceId) this.wellAgain(botId);
  }

  /** Lets the bot try at once, and have the jobs again that it could not start. */
  wellAgain(botId: string): void {
    this.parts.holds.lift(botId);
    this.parts.avoids.forgive(botId);
  }

  forget(botId: string): void {
    this.#instances.delete(botId);
    this.parts.holds.forget(botId);
  }

  #hasOther({ botId, queueId }: LiveLease): boolean {
    if (queueId === undefined) return false;
    // A queue that is not in memory: avoids.look() finds out, and forgives if there is none.
    const takers = this.parts.avoids.takersOf(queueId);
    return !takers || takers.some((session) => session.botId !== botId);
  }
}
