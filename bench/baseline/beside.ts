import { Job } from '../../src/gen/pandafuzz/v1/job.js';
import { type Bench, median, percent, rate } from '../figure.js';
import { alternate, type Rounds } from '../measure.js';
import { ServerProcess, type Settings } from '../processes.js';
import { Stage } from '../stage.js';
import { watch } from '../watch.js';

/** A master and the bare server, with a job that both answer with. */
export interface Sides {
  readonly stage: Stage;
  readonly echo: ServerProcess;
  readonly job: Job;
}

export const withSides = <T>(
  bench: Bench,
  settings: Settings,
  work: (sides: Sides) => Promise<T>,
): Promise<T> =>
  Stage.with(bench, settings, async (stage) => {
    const [job, folder] = [await stage.createJob(), bench.folder()];
    const answer = { ECHO_JOB: JSON.stringify(Job.toJSON(job)), ECHO_FOLDER: folder };
    const echo = await ServerProcess.start('echo', folder, answer);
    return work({ stage, echo, job }).finally(() => echo.stop());
  });

/** Both sides by turns, after a round of each that warms their code. */
export async function beside<T>(
  { stage: { bench, master }, echo }: Sides,
  load: string,
  run: (server: ServerProcess) => Promise<T>,
): Promise<Rounds<T>> {
  bench.say(`${load}, master and echo server`);
  await run(master);
  await run(echo);
  return alternate(
    bench.rounds,
    () => run(master),
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
export function pacesText({ a, b }: Rounds<Pace>): string {
  const text = (paces: readonly Pace[]) => {
    const of = (key: keyof Pace) => median(paces.map((pace) => pace[key]));
    const busy = `its core ${percent(of('busy'))} busy`;
    return `${rate(of('perSecond'))}, ${busy}: ${rate(of('perCpuSecond'))} of CPU`;
  };
  return `${text(a)}; echo ${text(b)}`;
}
