import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, count, type MeasuredOf, ofOne, ofTimes } from '../figure.js';
import { Latencies } from '../latencies.js';
import { until } from '../measure.js';
import { plainGrpc, Stage } from '../stage.js';
import { watch } from '../watch.js';
import { losses, reconnects, restart, storm } from './comebacks.js';
import { Crew } from './crew.js';
import type { Member } from './member.js';

const calm = { intervalMs: 30_000, ttlMs: 90_000 };
/** So that losing leases does not take long. */
const brisk = { intervalMs: 3000, ttlMs: 9000 };
const briskInQuick = { intervalMs: 300, ttlMs: 2000 };
/** Bots beside which the whole fleet is held. */
const few = 100;
/** Of the bots, those that are there for losses: their arrival takes most of its time. */
const briskShare = 0.25;
/** Jobs that end, and as many that come, in `turnover`. */
const perSecond = 50;
const forMs = 10_000;

/**
 * A large fleet of whole bots, each on a connection of its own (`ulimit -n` has to be
 * above their number), whose every bot runs a job: its cost, and its losses when all
 * does not go well.
 */
export async function benchFleet(bench: Bench): Promise<MeasuredOf<'fleet'>> {
  const { say, sizes, scale } = bench;
  return Stage.with(bench, settingsOf(calm), async (stage) => {
    const botIds = await stage.registerBots(sizes.bots);
    /** A crew of so many, with jobs that wait for them, for the time of a script. */
    const withCrew = async <T>(size: number, script: (crew: Crew) => Promise<T>) => {
      say(`${count(size)} bots take a job each`);
      await stage.createJobs(size);
      const crew = new Crew(stage, botIds.slice(0, size));
      return script(crew).finally(() => crew.leave());
    };

    const ofFew = await withCrew(few, async (crew) => {
      await crew.takeJobs();
      await turnover(crew); // until code is warm
      return turnover(crew).finally(() => crew.finish());
    });
    const ofAll = await withCrew(sizes.bots, async (crew) => {
      const whileUp = await calmScripts(crew, ofFew.cpuMs);
      say('the master is restarted');
      const restarted = await restart(crew, () => stage.restart(settingsOf(calm)));
      say('the master is restarted with grpc.fast_path off');
      await restart(crew, () => stage.restart({ ...settingsOf(calm), ...plainGrpc }));
      const { cpu: cpuPlain } = await steady(crew);
      await crew.finish();
      return { ...whileUp, ...restarted, cpuPlain };
    });
    const leases = scale < 1 ? briskInQuick : brisk;
    await stage.restart(settingsOf(leases));
    const ofBrave = await withCrew(Math.ceil(sizes.bots * briskShare), async (crew) => {
      await crew.takeJobs();
      say(`of them two fifths vanish, with leases of ${leases.ttlMs / 1000} s`);
      return losses(crew, leases.ttlMs);
    });
    return { assignIdle: ofFew.assign, ...ofAll, ...ofBrave };
  });
}

/** While the master stays up. `cpuMsOfFew`: for each job that a few bots turn over. */
async function calmScripts(crew: Crew, cpuMsOfFew: number) {
  const { bench, master } = crew.stage;
  const before = await master.look({ collect: true });
  await crew.takeJobs();
  const beating = await steady(crew);
  const after = await master.look({ collect: true });
  const [resident = 0, heap = 0] = (['rssBytes', 'heapBytes'] as const).map(
    (key) => (after[key] - before[key]) / crew.members.length / 1024,
  );
  bench.say('jobs end and others come');
  const { assign, cpuMs } = await turnover(crew);
  const each = `${cpuMs.toFixed(1)} ms with the beats of all; ${cpuMsOfFew.toFixed(1)} ms`;
  bench.say('connections are lost, 2 % of them a second');
  const reconnected = await reconnects(crew);
  bench.say('all are cut off at once');
  return {
    ...beating,
    memory: ofOne(resident, `with lease and connection; ${heap.toFixed(1)} KiB of it on the heap`),
    assign,
    turnover: ofOne(cpuMs / cpuMsOfFew, `${each}; so few at a time that each is a group`),
    ...reconnected,
    ...(await storm(crew)),
  };
}

/** Nothing happens: all bots run their jobs and beat, when the master asks for it. */
async function steady(crew: Crew) {
  const { bench, master } = crew.stage;
  const intervalMs = calm.intervalMs * bench.scale;
  bench.say(`they beat every ${calm.intervalMs / 1000} s`);
  await sleep(intervalMs); // until each has beaten once
  crew.recount();
  // Twice: what is written once a minute is in it. Looks at the loop cost 0.1 % of a core.
  const work = () => sleep(2 * intervalMs);
  const { busy, words } = await watch(master, 'bots that beat', work, 100);
  const acks = crew.answers.percentiles;
  const beats = `${count(acks.count)} beats, each naming a lease with its statistics`;
  const cpu = ofOne(busy * 100, `${beats}, in ${(2 * intervalMs) / 1000} s; ${words}`);
  return { cpu, acks: ofTimes(acks, 'over the same time') };
}

/**
 * All beat; now one, now another finishes its job, and a new one is created for it.
 *
 * @returns times from CreateJob to Assign at the bot, and CPU of the master for each job
 */
async function turnover(crew: Crew) {
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

const settingsOf = ({ intervalMs, ttlMs }: typeof calm) => ({
  PANDAFUZZ_LEASES_HEARTBEAT_INTERVAL: `${intervalMs}ms`,
  PANDAFUZZ_LEASES_TTL: `${ttlMs}ms`,
});
