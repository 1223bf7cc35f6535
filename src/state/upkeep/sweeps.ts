import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import type { Store } from '../../store/store.js';
import type { Sessions } from '../bots/sessions.js';

interface Service {
  readonly store: Pick<Store, 'unfinished'>;
  readonly clock: Clock;
  readonly log: Logger;
}

const uploadsEveryMs = 3_600_000;

/** Ends the streams of bots that are silent, looked at once in a TTL. */
export const silenceCheckOf = ({ clock, log }: Service, sessions: Sessions, ttlMs: number) =>
  new PeriodicTask({
    ...{ clock, log, intervalMs: ttlMs, name: 'silence check' },
    work: async () => sessions.checkSilence(),
  });

/** Removes parts of uploads that nobody goes on with. */
export const uploadSweepOf = ({ store, clock, log }: Service) =>
  new PeriodicTask({
    ...{ clock, log, intervalMs: uploadsEveryMs, name: 'sweep of unfinished uploads' },
    work: () => store.unfinished.sweep(),
  });
