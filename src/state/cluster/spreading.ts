import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import type { Store } from '../../store/store.js';
import type { Sessions } from '../bots/sessions.js';

const intervalMs = 1_000;
/** Of the bots that a master may have, so that figures that are seconds old move nobody back. */
const tolerance = 1.1;
/** Of a master's bots, those that go in one look. */
const shareAtOnce = 0.01;

export interface SpreadingParts {
  readonly store: Pick<Store, 'cluster'>;
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How many of `own` bots have to go, now: a few of those above this master's share. */
export function botsToSend(own: number, total: number, masters: number): number {
  const share = Math.ceil((total / masters) * tolerance) + 1;
  return Math.min(Math.max(own - share, 0), Math.max(Math.ceil(own * shareAtOnce), 1));
}

/**
 * Spreads bots over the masters of a cluster: one that has joined gets some from each of the
 * others, by chance. Bots that know one address alone would come back, and stay.
 */
export class Spreading {
  readonly #task: PeriodicTask;

  constructor(private readonly parts: SpreadingParts) {
    const { clock, log } = parts;
    const work = async () => this.look();
    this.#task = new PeriodicTask({ clock, log, intervalMs, name: 'spreading of bots', work });
  }

  start(): void {
    if (this.parts.store.cluster) this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  look(): void {
    const { store, sessions } = this.parts;
    const { cluster } = store;
    if (!cluster?.isMember) return;
    const own = sessions.online;
    const others = cluster.peers.filter(({ id }) => id !== cluster.id);
    const total = others.reduce((sum, { botsOnline }) => sum + botsOnline, own);
    let left = botsToSend(own, total, others.length + 1);
    for (const session of [...sessions.all()]) {
      if (left === 0) return;
      if (!session.mayMove) continue;
      session.sendAway?.('another master has fewer bots');
      left--;
    }
  }
}
