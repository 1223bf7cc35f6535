import { beside, type Pace, pacesText, type Sides, withSides } from '../baseline/beside.js';
import { type Bench, count, type Measured, type MeasuredOf, median, ofRounds } from '../figure.js';
import { ofRatio } from '../measure.js';
import { plainGrpc } from '../stage.js';
import * as load from './loads.js';

/** Heartbeat streams at once. */
const streams = 50;
/** Beats of each stream under way at once, where the load is to be as high as it gets. */
const window = 8;

/** Heartbeat streams and uploads of the master, beside those of a bare server. */
export async function benchStreams(bench: Bench): Promise<MeasuredOf<'streams'>> {
  const figures = await withSides(bench, {}, async (sides) => {
    const botIds = await sides.stage.registerBots(streams);
    return {
      uploads: await uploads(sides, botIds), // takes the one job there is
      beats8: await beats(sides, botIds, window),
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
  stage.bench.say('crashes of 10 MiB, master and echo server');
  const lease = await stage.pullJob(botId);
  const runs = await beside(sides, (server) => load.uploads(stage, server, lease));
  const detail = (a: number, b: number) => `${a.toFixed(0)} MiB/s; echo ${b.toFixed(0)} MiB/s`;
  return ofRatio(runs, 'mibPerSecond', detail);
}

async function beats(sides: Sides, botIds: readonly string[], inFlight: number): Promise<Measured> {
  const { stage } = sides;
  stage.bench.say(`beats, ${inFlight} of each stream under way, master and echo server`);
  const runs = await beside(sides, (server) => load.beats(stage, server, botIds, inFlight));
  const perAnswer = median(runs.a.map((run) => run.perAnswer)).toFixed(1);
  const detail = `${streams} streams that name a lease each, ${perAnswer} beats to an acknowledgement`;
  return ofRatio(runs, 'perSecond', `${detail}: ${pacesText(runs)}`);
}

/**
 * Beside a bare server in the same conversation: each cycle is two messages of a bot
 * and two answers, so that a master for which work cost nothing would be at 0.5.
 */
async function cycles(sides: Sides, botIds: readonly string[]) {
  const { stage } = sides;
  const jobs = Math.max(Math.round(20_000 * stage.bench.scale), 1000);
  stage.bench.say(`${count(jobs)} jobs worked off, master and echo server`);
  const runs = await beside(sides, (server) => load.cycles(stage, server, botIds, jobs));
  const micros = (paces: readonly Pace[]) => paces.map(({ perCpuSecond }) => 1e6 / perCpuSecond);
  const bare = `the bare server ${(2 * median(micros(runs.b))).toFixed(0)} us for its two messages`;
  const detail = `${streams} bots of ${load.slots} slots, three writes a job: ${pacesText(runs)}`;
  return {
    cycles: ofRatio(runs, 'perSecond', `${detail}, in messages, two a job`),
    cpuOfJob: ofRounds(micros(runs.a), `of all threads of the master, in the same runs; ${bare}`),
  };
}
