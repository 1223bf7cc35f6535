import type { Bench } from '../bench.js';
import { count, type MeasuredOf } from '../figure.js';
import { watch } from '../watch.js';
import { answersUnderTheLock, missedDeadlines } from './deadlines.js';
import { backups, type Disturbance, heldLock, nothing } from './disturbances.js';
import { eachCall } from './each-call.js';
import { mixedTraffic } from './mixed.js';
import { type Stocked, withStocked } from './stocked.js';

/** The calls of bench/ghz on a master with a million jobs: one by one, mixed, disturbed. */
export async function benchMillion(bench: Bench): Promise<MeasuredOf<'scenarios'>> {
  const { jobs } = bench.sizes;
  bench.say(`a master with ${count(jobs)} jobs`);
  return withStocked(bench, jobs, async (stocked) => {
    const { master } = stocked.stage;
    const { result: calls } = await watch(master, 'every call', () => eachCall(stocked));
    const late = async (here: Stocked, disturbance: Disturbance) => {
      bench.say('calls with deadlines of 50 ms');
      const work = () => missedDeadlines(here, calls, disturbance);
      return (await watch(here.stage.master, '50 ms deadlines', work)).result;
    };
    const quiet = await late(stocked, nothing);
    const besideBackups = await late(stocked, backups);
    const besideLock = await late(stocked, heldLock);
    const answersBesideLock = await answersUnderTheLock(stocked.stage);
    const few = await withStocked(bench, 0, async (small) => {
      await late(small, nothing); // until code is warm
      return late(small, nothing);
    });
    return {
      ...calls,
      ...quiet,
      readsOfFew: few.reads,
      writesOfFew: few.writes,
      readsBesideBackups: besideBackups.reads,
      writesBesideBackups: besideBackups.writes,
      readsBesideLock: besideLock.reads,
      writesBesideLock: besideLock.writes,
      answersBesideLock,
      ...(await mixedTraffic(stocked)),
    };
  });
}
