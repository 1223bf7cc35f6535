import { failureOf, isAway } from '../../client/failure.js';
import { sleep, systemClock } from '../../core/clock.js';
import { asking, type Flags } from '../session.js';
import { changesOf, type Link } from './changes.js';
import { jobEvent } from './job-events.js';
import { linkTo } from './jobs.js';
import { writer } from './lines.js';
import { Looks } from './looks.js';

/** Of `--until-crash`. */
const crashFound = 10;
const lookEveryMs = 2000;

export interface WatchFlags extends Flags {
  readonly project?: string;
  /** Ends after so long, milliseconds. */
  readonly for?: number;
  readonly untilCrash?: boolean;
}

/**
 * `pandafuzz watch`: what is, and then what happens to jobs, targets, crashes and the fleet.
 *
 * @returns the exit code: 0 when its time is over, 10 after a crash with `untilCrash`
 */
export function watchFleet(flags: WatchFlags): Promise<number> {
  return asking(flags, async (connection, options) => {
    const tell = writer(flags.json);
    const { project = '' } = flags;
    const end = new AbortController();
    const signal = AbortSignal.any([options.signal, end.signal]);
    const timer =
      flags.for === undefined ? undefined : systemClock.schedule(flags.for, () => end.abort());
    const link = onceEach(linkTo(connection.address, tell));
    let exitCode = 0;

    async function changes(): Promise<void> {
      const from = { jobId: '', cursor: 0 };
      for await (const change of changesOf(connection, from, { signal, link })) {
        const isOurs = project === '' || change.job?.spec?.project === project;
        if (change.kind !== '' && isOurs) tell(jobEvent(change));
      }
    }

    async function looks(): Promise<void> {
      const looking = new Looks(connection, project, tell);
      let wasReached = false;
      for (;;) {
        try {
          const isCrash = await looking.look({ ...options, signal });
          if (wasReached) link.back(false);
          wasReached = true;
          if (isCrash && flags.untilCrash) {
            exitCode = crashFound;
            return;
          }
        } catch (error) {
          if (!wasReached || !isTransient(error)) throw error;
          if (isAway(error)) link.away();
        }
        await sleep(systemClock, lookEveryMs, signal);
      }
    }

    const both = [looks(), changes()];
    try {
      await Promise.race(both);
    } catch (error) {
      // Its time is over.
      if (!end.signal.aborted) throw error;
    } finally {
      timer?.cancel();
      end.abort();
      await Promise.allSettled(both);
    }
    return exitCode;
  });
}

/** Two loops see that the master is away: it is said once. */
function onceEach(link: Link): Link {
  let isGone = false;
  return {
    away() {
      if (!isGone) link.away();
      isGone = true;
    },
    back(isGap) {
      if (isGone) link.back(isGap);
      isGone = false;
    },
  };
}

/** gRPC's DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED and UNAVAILABLE. */
const transient = new Set([4, 8, 14]);
const isTransient = (error: unknown) => transient.has(failureOf(error)?.code ?? -1);
