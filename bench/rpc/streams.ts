import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/client/connect.js';
import { beside, type Pace, paceOf, pacesText, type Sides, withSides } from '../baseline/beside.js';
import { type Bench, count, type Measured, type MeasuredOf, median, ofRounds } from '../figure.js';
import { Squad } from '../fleet/crew.js';
import { ofRatio, until } from '../measure.js';
import type { ServerProcess } from '../processes.js';
import { plainGrpc, sendCrash } from '../stage.js';

const streams = 50;
/** Slots of each bot in `cycles`; with fewer, it measures the waits for commits and not the work. */
const slots = 8;
/** The bare server makes jobs up, and works off more of them in the same time. */
const echoJobs = 5;
const inputBytes = 10 * 2 ** 20;

/** Heartbeat streams and uploads of the master, beside those of a bare server. */
export async function benchStreams(bench: Bench): Promise<MeasuredOf<'streams'>> {
  const figures = await withSides(bench, {}, async (sides) => {
    const botIds = await sides.stage.registerBots(streams);
    return {
      uploads: await uploads(sides, botIds), // takes the one job there is
      beats8: await beats(sides, botIds, 8), // as high a load as it gets
      beats1: await beats(sides, botIds, 1),
      ...(await cycles(sides, botIds)),
    };
  });
  const beats1Plain = await withSides(bench, plainGrpc, async (sides) => {
    const botIds = await sides.stage.registerBots(streams);
    await sides.stage.pullJob(botIds[0] ?? '');
    return beats(sides, botIds, 1);
  });
  return { ...figures, beats1Plain };
}

async function uploads(sides: Sides, [botId = '']: readonly string[]): Promise<Measured> {
  const { stage } = sides;
  const lease = await stage.pullJob(botId);
  const path = join(stage.bench.folder(), 'input');
  const inputs = Math.max(Math.round(5 * stage.bench.scale), 1);
  const runs = await beside(sides, 'crashes of 10 MiB', async ({ address }) => {
    const connection = connect(address);
    let tookMs = 0;
    for (let i = 0; i < inputs; i++) tookMs += await sendCrash(connection, lease, path, inputBytes);
    connection.close();
    return { mibPerSecond: (inputs * inputBytes * 1000) / 2 ** 20 / tookMs };
  });
  const detail = (a: number, b: number) => `${a.toFixed(0)} MiB/s; echo ${b.toFixed(0)} MiB/s`;
  return ofRatio(runs, 'mibPerSecond', detail);
}

/** Every bot holds one job and beats as fast as it is answered, with `inFlight` beats under way. */
async function beats(sides: Sides, botIds: readonly string[], inFlight: number): Promise<Measured> {
  const { stage } = sides;
  const run = async (server: ServerProcess) => {
    if (server === stage.master) await stage.createJobs(streams);
    let [holding, beaten, finished, isOver] = [0, 0, 0, false];
    const squad = new Squad(server.address, botIds, 1, {
      assigned: () => holding++,
      answered(bot, { length }) {
        beaten += length;
        for (let i = 0; i < length && !isOver; i++) bot.beat();
      },
      done: () => finished++,
    });
    await until('every bot has a job', () => holding === streams);
    for (const bot of squad.bots) for (let i = 0; i < inFlight; i++) bot.beat();
    await sleep(200); // until the load is even
    beaten = 0;
    const pace = await paceOf(server, async () => {
      await sleep(Math.max(3000 * stage.bench.scale, 400));
      return { done: beaten };
    });
    isOver = true;
    for (const bot of squad.bots) bot.finishAll();
    await until('all jobs are done', () => finished === streams);
    squad.close();
    return pace;
  };
  const runs = await beside(sides, `beats, ${inFlight} of each stream under way`, run);
  const detail = `${streams} streams that name a lease each: ${pacesText(runs)}`;
  return ofRatio(runs, 'perSecond', detail);
}

/**
 * Jobs that wait already, worked off: assigned, acknowledged, completed on disk. The
 * pace of the master is in jobs, the pace of a bare server in the same conversation in
 * messages of its bots: two for each job, LeaseAck and JobDone, and as many answers, so
 * that a master for which work cost nothing would be at 0.5.
 */
async function cycles(sides: Sides, botIds: readonly string[]) {
  const { stage } = sides;
  const jobs = Math.max(Math.round(20_000 * stage.bench.scale), 1000);
  const run = async (server: ServerProcess) => {
    const isMaster = server === stage.master;
    if (isMaster) await stage.createJobs(jobs);
    const total = isMaster ? jobs : echoJobs * jobs;
    let finished = 0;
    const toBeat = new Set<string>();
    return paceOf(server, async () => {
      const squad = new Squad(server.address, botIds, slots, {
        assigned: (bot, lease) => bot.finish(lease),
        done(bot) {
          finished++;
          if (!isMaster || toBeat.has(bot.id)) return;
          toBeat.add(bot.id);
          // One beat announces all slots that became free together; the bare server needs none.
          queueMicrotask(() => {
            toBeat.delete(bot.id);
            bot.beat();
          });
        },
      });
      await until('all jobs are done', () => finished >= total);
      squad.close();
      return { done: isMaster ? total : 2 * total };
    });
  };
  const runs = await beside(sides, `${count(jobs)} jobs worked off`, run);
  const micros = (paces: readonly Pace[]) => paces.map(({ perCpuSecond }) => 1e6 / perCpuSecond);
  const bare = `the bare server ${(2 * median(micros(runs.b))).toFixed(0)} us for its two messages`;
  const detail = `${streams} bots of ${slots} slots, three writes a job: ${pacesText(runs)}`;
  return {
    cycles: ofRatio(runs, 'perSecond', `${detail}, in messages, two a job`),
    cpuOfJob: ofRounds(micros(runs.a), `of all threads of the master, in the same runs; ${bare}`),
  };
}
