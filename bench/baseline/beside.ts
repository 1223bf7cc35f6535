import type { Job } from '../../src/gen/pandafuzz/v1/job.js';
import type { Bench } from '../bench.js';
import { median, percent, rate } from '../figure.js';
import { alternate, type Rounds } from '../measure.js';
import { type ServerProcess, type Settings, startEcho } from '../processes.js';
import { Stage } from '../stage.js';
import { watch } from '../watch.js';

/** A master and the bare server, with a job that both answer with. */
export interface Sides {
  readonly stage: Stage;
  readonly echo: ServerProcess;
  /** Waits on the master. */
  readonly job: Job;
}

export const withSides = <T>(
  bench: Bench,
  settings: Settings,
  work: (sides: Sides) => Promise<T>,
): Promise<T> =>
  Stage.with(bench, settings, async (stage) => {
    const job = await stage.createJob();
    const echo = await startEcho(job, bench.folder());
    return work({ stage, echo, job }).finally(() => echo.stop());
  });

/** Both sides by turns, after a round of each that warms their code. */
export async function beside<T>(
  { stage, echo }: Sides,
  run: (server: ServerProcess) => Promise<T>,
): Promise<Rounds<T>> {
  await run(stage.master);
  await run(echo);
  return alternate(
    stage.bench.rounds,
    () => run(stage.master),
    () => run(echo),
  );
}

/** How fast a server was under as much load as there can be. */
export interface Pace {
  readonly perSecond: number;
  /** For each second of the server's CPU: comparable where the load is the limit, too. */
  readonly perCpuSecond: number;
  readonly busy: number;
}

/** `work` returns the number of things done, and their rate if it knows better than the clock. */
export async function paceOf(
  server: ServerProcess,
  work: () => Promise<{ done: number; perSecond?: number }>,
): Promise<Pace> {
  const { result, seconds, cpuSeconds, busy } = await watch(server, 'calls and streams', work);
  const { done, perSecond = done / seconds } = result;
  return { perSecond, perCpuSecond: done / cpuSeconds, busy };
}

/** "1,234/s, its core 90 % busy: 1,371/s of CPU; echo ...". */
export const pacesText = ({ a, b }: Rounds<Pace>): string =>
  [a, b]
    .map((paces) => {
      const [perSecond, ofCpu, busy] = (['perSecond', 'perCpuSecond', 'busy'] as const).map((key) =>
        median(paces.map((pace) => pace[key])),
      ) as [number, number, number];
      return `${rate(perSecond)}, its core ${percent(busy)} busy: ${rate(ofCpu)} of CPU`;
    })
    .join('; echo ');
