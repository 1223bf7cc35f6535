import { setTimeout as sleep } from 'node:timers/promises';
import { type Measured, ofTimes } from '../figure.js';
import { Latencies } from '../latencies.js';
import { watch } from '../watch.js';
import type { Crew } from './crew.js';
import type { Member } from './member.js';

/** Jobs that end, and as many that come. */
const perSecond = 50;
const forMs = 10_000;

export interface Turnover {
  /** From CreateJob to Assign at the bot. */
  readonly assign: Measured;
  /** CPU of the master for each job, the beats meanwhile included, milliseconds. */
  readonly cpuMs: number;
}

/** All beat; now one, now another finishes its job, and a new one is created for it. */
export async function turnover(crew: Crew): Promise<Turnover> {
  const { stage } = crew;
  const [toReceipt, toAssign] = [new Latencies(), new Latencies()];
  /** When a job came to a bot, which may be before its creation is answered. */
  const arrivals = new Map<string, PromiseWithResolvers<number>>();
  const arrivalOf = (jobId: string) => {
    const arrival = arrivals.get(jobId) ?? Promise.withResolvers<number>();
    arrivals.set(jobId, arrival);
    return arrival;
  };
  crew.onAssigned = ({ jobId }) => arrivalOf(jobId).resolve(performance.now());

  const turn = async (member: Member) => {
    const finishedAt = performance.now();
    await crew.finish([member]);
    toReceipt.record(performance.now() - finishedAt);
    member.bot.beat(); // its slot is free
    const createdAt = performance.now();
    const { id } = await stage.createJob();
    toAssign.record((await arrivalOf(id).promise) - createdAt);
  };
  const jobs = Math.round((perSecond * forMs * stage.bench.scale) / 1000);
  const { cpuSeconds, words } = await watch(stage.master, 'turnover', async () => {
    const turns: Promise<void>[] = [];
    for (const member of crew.members.filter(({ lease }) => lease).slice(0, jobs)) {
      turns.push(turn(member));
      await sleep(1000 / perSecond);
    }
    await Promise.all(turns);
  });
  crew.onAssigned = () => {};
  const { count, ...times } = toAssign.percentiles;
  const receipt = `JobDone to its receipt p99 ${toReceipt.percentiles.p99.toFixed(1)} ms`;
  const detail = `${count} jobs, ${perSecond} a second, for as many finished; ${receipt}; ${words}`;
  return { assign: ofTimes({ count, ...times }, detail), cpuMs: (cpuSeconds * 1000) / count };
}
