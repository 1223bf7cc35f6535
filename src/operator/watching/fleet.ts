import { systemClock } from '../../core/clock.js';
import { taken } from '../output.js';
import { asking, type Flags } from '../session.js';
import { changesOf } from './changes.js';
import { jobEvent } from './job-events.js';
import { type LineFlags, writer } from './lines.js';
import { linkTo } from './link.js';
import { lookAgain } from './look-again.js';
import { Looks } from './looks.js';

/** Of `--until-crash`. */
const crashFound = 10;

export interface WatchFlags extends Omit<Flags, 'json'>, LineFlags {
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
    const tell = writer(flags);
    const { project = '' } = flags;
    const end = new AbortController();
    const signal = AbortSignal.any([options.signal, end.signal]);
    const timer =
      flags.for === undefined ? undefined : systemClock.schedule(flags.for, () => end.abort());
    const link = linkTo(connection.address, tell);
    let exitCode = 0;

    async function changes(): Promise<void> {
      const from = { jobId: '', cursor: 0 };
      for await (const change of changesOf(connection, from, { signal, link })) {
        const isOurs = project === '' || change.job?.spec?.project === project;
        if (change.kind !== '' && isOurs) tell(jobEvent(change));
        await taken(signal);
      }
    }

    async function looks(): Promise<void> {
      const looking = new Looks(connection, project, tell);
      await lookAgain(signal, link, async () => {
        const isCrash = await looking.look({ ...options, signal });
        if (isCrash && flags.untilCrash) exitCode = crashFound;
        await taken(signal);
        return exitCode !== 0;
      });
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
