import type { Figure } from '../measure.js';
import type { Disturbance } from './disturbances.js';
import { creationOf } from './each-call.js';
import { runScenario, type ScenarioRun } from './ghz.js';
import type { Stocked } from './stocked.js';

/** What a caller may give a call to be answered in. */
const deadlineMs = 50;
/** Of the calls; each of the rest has been of no use to who made it. */
const mostLatePercent = 1;

/** Calls a second at their knees. */
export interface Knees {
  readonly 'get-job': number;
  readonly 'list-jobs': number;
  readonly 'create-job': number;
}

/** What the figures are about. */
export interface Circumstance {
  /** For the names of figures, e.g. "beside a backup". */
  readonly name: string;
  readonly seconds: number;
  readonly disturbance: Disturbance;
  /** False where writes cannot be done, whatever anybody does. */
  readonly writesCanBeDone: boolean;
}

/**
 * Calls with a deadline of 50 ms, half as many as at the knee: which share of them
 * had no answer in time. One call after the other, so that each has the master
 * to itself.
 */
export async function missedDeadlines(
  stocked: Stocked,
  knees: Knees,
  { name, seconds, disturbance, writesCanBeDone }: Circumstance,
): Promise<Figure[]> {
  const run = (scenario: keyof Knees, data?: object) => {
    const rate = Math.max(knees[scenario] / 2, 20);
    // As many callers as keep that rate up though none of them is answered.
    const concurrency = Math.min(Math.ceil((1.2 * rate * deadlineMs) / 1000) + 8, 400);
    const load = { seconds, rate, concurrency, timeoutMs: deadlineMs, ...(data && { data }) };
    return runScenario(stocked.master.address, scenario, stocked.folder, load);
  };
  const { result, about } = await disturbance(stocked, async () => ({
    reads: {
      GetJob: await run('get-job', { job_id: stocked.jobId }),
      ListJobs: await run('list-jobs'),
    },
    writes: { CreateJob: await run('create-job', creationOf(stocked.spec)) },
  }));
  return [
    lateFigure(`reads not answered within ${deadlineMs} ms, ${name}`, result.reads, about, true),
    lateFigure(
      `writes not answered within ${deadlineMs} ms, ${name}`,
      result.writes,
      about,
      writesCanBeDone,
    ),
  ];
}

function lateFigure(
  name: string,
  runs: Readonly<Record<string, ScenarioRun>>,
  about: string,
  isToBeHeld: boolean,
): Figure {
  const all = Object.entries(runs).map(([call, run]) => ({ call, run, share: lateShare(run) }));
  const calls = all.reduce((sum, { run }) => sum + run.calls, 0);
  const late = all.reduce((sum, { run, share }) => sum + share * run.calls, 0);
  const shares = all.map(({ share }) => share * 100);
  const told = all.map(
    ({ call, run }) =>
      `${call} ${Math.round(run.okPerSecond).toLocaleString('en')}/s, ${codesText(run.codes)}`,
  );
  return {
    ...{ name, value: (late / calls) * 100, unit: '%' },
    spread: [Math.min(...shares), Math.max(...shares)],
    ...(isToBeHeld && { target: { is: '<=', bound: mostLatePercent } as const }),
    detail: [about, ...told, ...(all.length > 1 ? ['spread: of the two'] : [])]
      .filter(Boolean)
      .join('; '),
    absolute: { calls, late },
  };
}

const lateShare = ({ calls, codes }: ScenarioRun) => (calls - (codes['OK'] ?? 0)) / calls;

const codesText = (codes: ScenarioRun['codes']) =>
  Object.entries(codes)
    .map(([code, count]) => `${count.toLocaleString('en')} ${code}`)
    .join(', ');
