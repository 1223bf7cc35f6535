import { setTimeout as sleep } from 'node:timers/promises';
import { type Measured, ofTimes } from '../figure.js';
import { Latencies } from '../latencies.js';
import { until } from '../measure.js';
import { watch } from '../watch.js';
import type { Crew } from './crew.js';
import type { Member } from './member.js';

/** Jobs that end, and as many that come. */
const perSecond = 50;
const forMs = 10_000;

export interface Turnover {
  readonly assign: Measured;
  /** CPU of the master for each job, the beats meanwhile included, milliseconds. */
  readonly cpuMs: number;
}

/** All beat; now one, now another finishes its job, and a new one is created for it. */
export async function turnover(crew: Crew): Promise<Turnover> {
  const { stage } = crew;
  const toAssign = new Latencies();
  /** A job may be at its bot before its creation is answered. */
  const [createdAt, arrivedAt] = [new Map<string, number>(), new Map<string, number>()];
  crew.onAssigned = ({ jobId }) => arrivedAt.set(jobId, performance.now());
  const turn = async (member: Member) => {
    await crew.finish([member]);
    member.bot.beat(); // its slot is free
    const startedAt = performance.now();
    createdAt.set((await stage.createJob()).id, startedAt);
  };
  const jobs = (perSecond * forMs * stage.bench.scale) / 1000;
  const working = crew.members.filter(({ lease }) => lease).slice(0, jobs);
  const { cpuSeconds, words } = await watch(stage.master, 'turnover', async () => {
    const turns: Promise<void>[] = [];
    for (const member of working) {
      turns.push(turn(member));
      await sleep(1000 / perSecond);
    }
    await Promise.all(turns);
    await until('every new job is taken', () => arrivedAt.size >= createdAt.size);
  });
  for (const [id, at] of createdAt) toAssign.record((arrivedAt.get(id) ?? Number.NaN) - at);
  const { percentiles } = toAssign;
  const detail = `${percentiles.count} jobs, ${perSecond} a second, for as many finished`;
  const assign = ofTimes(percentiles, `${detail}; ${words}`);
  return { assign, cpuMs: (cpuSeconds * 1000) / percentiles.count };
}
