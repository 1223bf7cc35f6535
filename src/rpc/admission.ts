import { OverloadError } from '../core/errors.js';

/**
 * Limits how many calls are under way. Each pool is bounded, and calls that matter less
 * are refused sooner: results of bots may fill the whole pool, new work three quarters of
 * it, reads and lists one half. Results are refused last, as they cannot be made again.
 */
export const precedences = ['result', 'work', 'read'] as const;
export type Precedence = (typeof precedences)[number];

/** calls: short ones; transfers: files; waits: long polls; feeds: WatchJobs; streams: heartbeats. */
export const pools = ['calls', 'transfers', 'waits', 'feeds', 'streams'] as const;
export type Pool = (typeof pools)[number];

const settings: Record<Pool, string> = {
  calls: 'limits.max_calls',
  transfers: 'limits.max_transfers',
  waits: 'limits.max_waits',
  feeds: 'limits.max_watches',
  streams: 'limits.max_streams',
};

const shares: Record<Precedence, number> = { result: 1, work: 0.75, read: 0.5 };

/** Pause that a refused caller is asked for: long enough for a full pool to have moved on. */
const retryAfterMs = 1000;

export class Admission {
  readonly #underWay: Record<Pool, number> = {
    calls: 0,
    transfers: 0,
    waits: 0,
    feeds: 0,
    streams: 0,
  };

  /** `capacities`: how many of each pool may be under way. */
  constructor(private readonly capacities: Readonly<Record<Pool, number>>) {}

  underWay(pool: Pool): number {
    return this.#underWay[pool];
  }

  /** Each `enter` that returns is followed by one `leave`. @throws OverloadError */
  enter(pool: Pool, precedence: Precedence): void {
    if (this.#underWay[pool] >= Math.ceil(this.capacities[pool] * shares[precedence])) {
      const quota = settings[pool];
      const what = `too many ${pool} are under way (${quota})`;
      throw new OverloadError({ what, retryAfterMs, quota });
    }
    this.#underWay[pool]++;
  }

  leave(pool: Pool): void {
    this.#underWay[pool]--;
  }
}
