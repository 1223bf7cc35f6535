import { type Bench, count, type Measured, type MeasuredOf, ofRounds } from '../figure.js';
import { watch } from '../watch.js';
import * as deadlines from './deadlines.js';
import { mixedTraffic } from './mixed.js';
import { eachCall, type Stocked, withStocked } from './stocked.js';

/** The calls of bench/ghz on a master with a million jobs: one by one, mixed, disturbed. */
export function benchMillion(bench: Bench): Promise<MeasuredOf<'scenarios'>> {
  const { jobs } = bench.sizes;
  bench.say(`a master with ${count(jobs)} jobs`);
  return withStocked(bench, jobs, async (many) => {
    const { master } = many.stage;
    const { result: calls } = await watch(master, 'every call', () => eachCall(many));
    const killed = await firstAnswers(many);
    const late = (stocked: Stocked, disturbance: deadlines.Disturbance) =>
      deadlines.missedDeadlines(stocked, calls, disturbance);
    const quiet = await late(many, deadlines.nothing);
    const besideBackups = await late(many, deadlines.backups);
    const besideLock = await late(many, deadlines.heldLock);
    const answersBesideLock = await deadlines.answersUnderTheLock(many.stage);
    const ofFew = await withStocked(bench, 0, async (few) => {
      await late(few, deadlines.nothing); // until code is warm
      return late(few, deadlines.nothing);
    });
    return {
      ...calls,
      ...quiet,
      firstAnswer: killed,
      readsOfFew: ofFew.reads,
      writesOfFew: ofFew.writes,
      readsBesideBackups: besideBackups.reads,
      writesBesideBackups: besideBackups.writes,
      readsBesideLock: besideLock.reads,
      writesBesideLock: besideLock.writes,
      answersBesideLock,
      ...(await mixedTraffic(many)),
    };
  });
}

/** A master that was killed while jobs were being created. */
async function firstAnswers({ stage }: Stocked): Promise<Measured> {
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    await stage.createJobs(500);
    times.push(await stage.firstAnswerAfterKill());
  }
  return ofRounds(times, `killed ${times.length} times after creations`);
}
