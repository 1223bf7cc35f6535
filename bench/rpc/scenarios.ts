import type { Bench } from '../bench.js';
import type { Figure } from '../measure.js';
import { watchVitals } from '../vitals.js';
import { type Circumstance, type Knees, missedDeadlines } from './deadlines.js';
import { backups, heldLock, nothing } from './disturbances.js';
import { creationOf, eachCall, pages } from './each-call.js';
import { findKnee } from './knee.js';
import { mixedProfile } from './mixed.js';
import { answersUnderTheLock } from './server-deadline.js';
import { type Stocked, startStocked } from './stocked.js';

/** The calls of bench/ghz on a master with a million jobs: one by one, mixed, disturbed. */
export async function benchScenarios(bench: Bench): Promise<Figure[]> {
  const rows = Math.round(1_000_000 * bench.scale);
  bench.say(`a master with ${rows.toLocaleString('en')} jobs`);
  const large = await startStocked(bench, rows);
  const watch = async <T>(part: string, work: () => Promise<T>) =>
    (await watchVitals(large.master, part, work)).result;
  try {
    const calls = await watch('every call', () => eachCall(bench, large));
    const { knees, figures } = await watch('knees', () => findKnees(bench, large));
    const depth = await watch('pages', () => pages(bench, large, rows));
    const deadlines = [
      ...(bench.scale < 1 ? [] : await quietAndSmall(bench, knees)),
      ...(await watch('50 ms deadlines', () => disturbed(bench, large, knees, rows))),
    ];
    return [...(await mixedProfile(bench, large)), ...deadlines, depth, ...figures, ...calls];
  } finally {
    await large.stop();
  }
}

async function findKnees(
  bench: Bench,
  stocked: Stocked,
): Promise<{ knees: Knees; figures: Figure[] }> {
  const get = await findKnee(bench, stocked, 'get-job', { job_id: stocked.jobId });
  const list = await findKnee(bench, stocked, 'list-jobs', { page_size: 100 });
  const create = await findKnee(bench, stocked, 'create-job', creationOf(stocked.spec));
  return {
    knees: {
      'get-job': get.perSecond,
      'list-jobs': list.perSecond,
      'create-job': create.perSecond,
    },
    figures: [get.figure, list.figure, create.figure],
  };
}

/** With hardly a job in the table. */
async function quietAndSmall(bench: Bench, knees: Knees): Promise<Figure[]> {
  bench.say('calls with deadlines of 50 ms, few jobs');
  const small = await startStocked(bench);
  const circumstance = { ...quiet(bench), name: 'few jobs' };
  try {
    await missedDeadlines(small, knees, circumstance); // until code is warm
    return await missedDeadlines(small, knees, circumstance);
  } finally {
    await small.stop();
  }
}

async function disturbed(
  bench: Bench,
  stocked: Stocked,
  knees: Knees,
  rows: number,
): Promise<Figure[]> {
  const jobs = `${rows.toLocaleString('en')} jobs`;
  const circumstances: Circumstance[] = [
    { ...quiet(bench), name: jobs },
    ...(bench.scale < 1
      ? []
      : [{ ...quiet(bench), name: `${jobs}, beside backups`, disturbance: backups }]),
    {
      ...{ ...quiet(bench), name: `${jobs}, the write lock held`, disturbance: heldLock },
      writesCanBeDone: false,
    },
  ];
  const figures: Figure[] = [];
  for (const circumstance of circumstances) {
    bench.say(`calls with deadlines of 50 ms, ${circumstance.name}`);
    figures.push(...(await missedDeadlines(stocked, knees, circumstance)));
  }
  figures.push(await answersUnderTheLock(stocked, bench.scale < 1 ? 200 : 800));
  return figures;
}

const quiet = ({ scale }: Bench) => ({
  ...{ seconds: scale < 1 ? 0.4 : 2, disturbance: nothing, writesCanBeDone: true },
});
