import { Health } from '../../gen/pandafuzz/v1/statistics_service.js';

/** How a target does, in a word and a sentence. Times are ms since 1970. */

export interface HealthFacts {
  readonly now: number;
  /** Runs that are looked at now. */
  readonly running: number;
  /** Inputs that they have executed, as far as the master saw. */
  readonly executions: number;
  /** Of its newest jobs, those that a bot has, and of which nothing was heard yet. */
  readonly starting: number;
  readonly pending: number;
  readonly paused: number;
  /** The last of them that ended without having executed anything: since when, and why. */
  readonly failed: { readonly since: number; readonly why: string } | undefined;
  readonly botsOnline: number;
  /** When the oldest of its newest jobs was started. */
  readonly beganAt: number | undefined;
  readonly foundAt: number | undefined;
}

export interface Judged {
  readonly health: Health;
  readonly reason: string;
}

const minuteMs = 60_000;
/** For the first executions. */
const beginWithinMs = minuteMs;
/** Without something new for so long, and for this share of the time so far. */
const slowing = { leastMs: 2 * minuteMs, share: 0.05 };
const flat = { leastMs: 10 * minuteMs, share: 0.2 };

export function healthOf(facts: HealthFacts): Judged {
  if (facts.running > 0) return whileRunning(facts);
  const { failed, starting, pending, paused, botsOnline } = facts;
  if (starting > 0 && !failed) {
    return { health: Health.WAITING, reason: 'a bot is starting it' };
  }
  if (failed) return { health: Health.CANNOT_FUZZ, reason: failed.why };
  if (pending > 0 && botsOnline === 0) {
    return { health: Health.NO_BOTS, reason: 'its jobs wait, and no bot is online' };
  }
  if (pending > 0) {
    return { health: Health.WAITING, reason: 'its jobs wait: job explain says for what' };
  }
  if (paused > 0) return { health: Health.PAUSED, reason: 'its jobs are paused' };
  return { health: Health.ENDED, reason: 'no job of it goes on' };
}

function whileRunning({ now, executions, beganAt = now, foundAt, failed }: HealthFacts): Judged {
  const spanMs = now - beganAt;
  if (executions === 0) {
    if (failed) return { health: Health.CANNOT_FUZZ, reason: failed.why };
    const since = `for ${length(spanMs)}`;
    return spanMs < beginWithinMs
      ? { health: Health.FINDING, reason: `it has begun ${length(spanMs)} ago` }
      : { health: Health.CANNOT_FUZZ, reason: `it runs ${since}, and has executed nothing` };
  }
  const quietMs = now - Math.max(foundAt ?? beganAt, beganAt);
  const quiet = `nothing new for ${length(quietMs)} of ${length(spanMs)}`;
  const isAt = ({ leastMs, share }: typeof flat) => quietMs > Math.max(leastMs, spanMs * share);
  if (isAt(flat)) return { health: Health.FLAT, reason: quiet };
  if (isAt(slowing)) return { health: Health.SLOWING, reason: quiet };
  const found = foundAt === undefined ? '' : `last find ${length(now - foundAt)} ago`;
  return { health: Health.FINDING, reason: found || quiet };
}

/** Two units: "19 h 20 m". */
export function length(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return hours > 0 ? `${days} d ${hours} h` : `${days} d`;
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} m` : `${hours} h`;
  return minutes > 0 ? `${minutes} m` : `${seconds} s`;
}
