import { connect } from '../../src/client/connect.js';
import { startEcho } from '../baseline/start.js';
import type { Bench } from '../bench.js';
import { answeredPerSecond, type Beating, type Fleet } from '../fleet/beating.js';
import { type Cycling, cyclesPerSecond, messagesPerCycle } from '../fleet/cycling.js';
import { createJob, registerBots, uploadTarget } from '../fleet/stock.js';
import { timesToAssign } from '../fleet/taking.js';
import { Upload } from '../fleet/upload.js';
import { alternate, type Comparison, type Figure, median, quantile } from '../measure.js';
import { type ServerProcess, startMaster } from '../processes.js';

/** Heartbeat streams at once. */
const streams = 50;
/** Beats of each stream under way at once, where the load is to be as high as it gets. */
const window = 8;

/** What every figure here is taken from. */
interface Sides {
  readonly bench: Bench;
  readonly master: ServerProcess;
  readonly echo: ServerProcess;
  readonly fleet: Fleet;
}

/** Heartbeat streams and uploads of the master, beside those of a bare server. */
export async function benchStreams(bench: Bench): Promise<Figure[]> {
  const { folder } = bench;
  const master = await startMaster(folder());
  const connection = connect(master.address);
  const spec = await uploadTarget(connection);
  const echo = await startEcho(await createJob(connection, spec), folder());
  try {
    const botIds = await registerBots(connection, streams, 1);
    const sides = { bench, master, echo, fleet: { connection, spec, botIds } };
    return [
      await uploads(sides), // takes the one job there is
      await takingUp(sides),
      await beats(sides, window),
      await beats(sides, 1),
      await cycles(sides),
    ];
  } finally {
    connection.close();
    await Promise.all([master.stop(), echo.stop()]);
  }
}

async function uploads({ bench, master, echo, fleet }: Sides): Promise<Figure> {
  bench.say('crashes of 10 MiB, master and echo server');
  const upload = await Upload.prepare(fleet.connection, fleet.botIds[0] ?? '', bench);
  await upload.mibPerSecond(master); // until code is warm
  await upload.mibPerSecond(echo);
  const both = await alternate(
    bench.rounds,
    () => upload.mibPerSecond(master),
    () => upload.mibPerSecond(echo),
  );
  return {
    ...ratio('crash of 10 MiB kept, master / echo server that writes it to disk', both, 0.8),
    detail: `${both.a.toFixed(0)} MiB/s; echo ${both.b.toFixed(0)} MiB/s; both check the SHA-256 and sync the file`,
  };
}

async function takingUp({ bench, master, fleet }: Sides): Promise<Figure> {
  bench.say('jobs created and taken, one at a time');
  const times = await timesToAssign(fleet, master, bench.scale < 1 ? 100 : 300);
  return {
    name: 'CreateJob to Assign at the bot, idle master, p99',
    ...{ value: quantile(times, 0.99), unit: 'ms', target: { is: '<', bound: 10 } },
    spread: [quantile(times, 0.5), quantile(times, 1)],
    detail: `${times.length} jobs, one at a time; spread: median to longest`,
  };
}

async function beats({ bench, master, echo, fleet }: Sides, inFlight: number): Promise<Figure> {
  const { rounds, say } = bench;
  say(`beats, ${inFlight} of each stream under way, master and echo server`);
  const load = { inFlight, seconds: secondsOf(bench) };
  const [masters, echoes]: [Beating[], Beating[]] = [[], []];
  const run = async (server: ServerProcess, runs: Beating[]) => {
    runs.push(await answeredPerSecond(fleet, server, load));
    return runs.at(-1)?.beatsPerSecond ?? Number.NaN;
  };
  await run(master, []); // until code is warm
  await run(echo, []);
  const both = await alternate(
    rounds,
    () => run(master, masters),
    () => run(echo, echoes),
  );
  const perAnswer = median(masters.map(({ beatsPerAnswer }) => beatsPerAnswer)).toFixed(1);
  return {
    ...ratio(`beats answered, ${inFlight} a stream under way, master / echo server`, both, 0.9),
    detail: `${perSecond(both.a)} of ${streams} streams that name a lease each, ${perAnswer} to an acknowledgement, ${cost(masters)}; echo, an answer each, ${perSecond(both.b)}, ${cost(echoes)}`,
  };
}

/**
 * Beside a bare server in the same conversation: each cycle is two messages of a bot
 * and two answers, so that a master for which work cost nothing would be at 0.5.
 */
async function cycles({ bench, master, echo, fleet }: Sides): Promise<Figure> {
  const jobs = Math.max(Math.round(20_000 * bench.scale), 1000);
  bench.say(`${jobs.toLocaleString('en')} jobs worked off, master and echo server`);
  const [masters, echoes]: [Cycling[], Cycling[]] = [[], []];
  const run = async (server: ServerProcess, runs: Cycling[], count: number) => {
    const one = await cyclesPerSecond(fleet, server, count);
    runs.push(one);
    return one.perSecond;
  };
  await run(master, [], jobs); // until code is warm
  await run(echo, [], jobs);
  const both = await alternate(
    bench.rounds,
    () => run(master, masters, jobs),
    async () => messagesPerCycle * (await run(echo, echoes, jobs * 5)),
  );
  return {
    ...ratio('jobs assigned and completed on disk / messages of the echo server', both, 0.25),
    detail: `${perSecond(both.a)} by ${streams} bots of ${masters[0]?.slots} slots, three writes each, ${core(masters)}; echo, told the same, ${perSecond(both.b)}, two a job, ${core(echoes)}`,
  };
}

const secondsOf = ({ scale }: Bench) => Math.max(3 * scale, 0.4);

const ratio = (name: string, { a, b, ratio: value, spread }: Comparison, bound: number) => ({
  ...{ name, value, spread, unit: 'ratio', target: { is: '>=', bound } as const },
  absolute: { master: a, echo: b },
});

const perSecond = (rate: number) => `${Math.round(rate).toLocaleString('en')}/s`;

/** Where the load is the limit and not the server, this tells what the server could do. */
const cost = (runs: readonly Beating[]) =>
  `${core(runs)}: ${perSecond(median(runs.map((run) => run.beatsPerCpuSecond)))} of CPU`;

const core = (runs: readonly { busy: number }[]) =>
  `its core ${(median(runs.map(({ busy }) => busy)) * 100).toFixed(0)} % busy`;
