import { setTimeout as sleep } from 'node:timers/promises';
import { Latencies } from '../latencies.js';
import type { Figure } from '../measure.js';
import { inWords, watchVitals } from '../vitals.js';
import type { Member } from './member.js';
import { below, type Scene } from './scene.js';
import { createJob } from './stock.js';

/** Jobs that end, and as many that come. */
export interface Load {
  readonly perSecond: number;
  readonly forMs: number;
}

export interface Turnover {
  readonly figure: Figure;
  /** CPU of the master for each job, the beats meanwhile included, milliseconds. */
  readonly cpuMs: number;
}

/** All beat; now one, now another finishes its job, and a new one is created for it. */
export async function turnover(
  { master, crew, bots, connection, spec }: Scene,
  { perSecond, forMs }: Load,
): Promise<Turnover> {
  const [toReceipt, toAssign] = [new Latencies(), new Latencies()];
  /** When a job came to a bot, which may be before its creation is answered. */
  const arrivals = new Map<string, PromiseWithResolvers<number>>();
  const arrivalOf = (jobId: string) => {
    const known = arrivals.get(jobId);
    if (known) return known;
    const arrival = Promise.withResolvers<number>();
    arrivals.set(jobId, arrival);
    return arrival;
  };
  crew.events.on('assigned', ({ jobId }) => arrivalOf(jobId).resolve(performance.now()));

  const turn = async (member: Member) => {
    const finishedAt = performance.now();
    if (member.lease) await member.finish(member.lease);
    toReceipt.record(performance.now() - finishedAt);
    member.bot.beat(); // its slot is free
    const createdAt = performance.now();
    const { id } = await createJob(connection, spec);
    toAssign.record((await arrivalOf(id).promise) - createdAt);
  };
  const count = Math.round((perSecond * forMs) / 1000);
  const { vitals } = await watchVitals(master, 'turnover', async () => {
    const turns: Promise<void>[] = [];
    for (const member of crew.members.filter((one) => one.lease).slice(0, count)) {
      turns.push(turn(member));
      await sleep(1000 / perSecond);
    }
    await Promise.all(turns);
  });
  crew.events.removeAllListeners('assigned');
  const { percentiles } = toAssign;
  const { count: jobs, p50, max } = percentiles;
  const figure = below(
    `CreateJob to Assign at the bot beside ${bots}, p99`,
    ...(['ms', 50, percentiles.p99] as const),
    {
      detail: `${jobs} jobs, ${perSecond} a second, for as many finished; JobDone to its receipt p99 ${toReceipt.percentiles.p99.toFixed(1)} ms; ${inWords(vitals)}; spread: median to longest`,
      spread: [p50, max],
      ...{ percentiles, vitals },
    },
  );
  return { figure, cpuMs: (vitals.cpuSeconds * 1000) / jobs };
}
