import { connect } from '../../src/client/connect.js';
import { startEcho } from '../baseline/start.js';
import type { Bench } from '../bench.js';
import { answeredPerSecond, type Beating } from '../fleet/beating.js';
import { type Cycling, cyclesPerSecond } from '../fleet/cycling.js';
import { createJob, registerBots, uploadTarget } from '../fleet/stock.js';
import { timesToAssign } from '../fleet/taking.js';
import { Upload } from '../fleet/upload.js';
import { alternate, type Comparison, type Figure, quantile } from '../measure.js';
import { type ServerProcess, startMaster } from '../processes.js';

/** Heartbeat streams at once. */
const streams = 50;
/** Beats of each stream under way at once, where the load is to be as high as it gets. */
const window = 8;

/** Heartbeat streams and uploads of the master, beside those of a bare server. */
export async function benchStreams({ folder, rounds, scale, say }: Bench): Promise<Figure[]> {
  const master = await startMaster(folder());
  const connection = connect(master.address);
  const spec = await uploadTarget(connection);
  const echo = await startEcho(await createJob(connection, spec), folder());
  try {
    const botIds = await registerBots(connection, streams, 1);
    const fleet = { connection, spec, botIds };
    const seconds = Math.max(5 * scale, 2);
    const both = (onMaster: () => Promise<number>, onEcho: () => Promise<number>) =>
      alternate(rounds, onMaster, onEcho);

    const upload = await Upload.prepare(connection, botIds[0] ?? '', folder());
    say('crashes of 10 MiB, master and echo server');
    const uploads = await both(
      () => upload.mibPerSecond(master),
      () => upload.mibPerSecond(echo),
    );

    say('jobs created and assigned, one at a time');
    const times = await timesToAssign(fleet, master, 300);

    const beat = async (inFlight: number) => {
      say(`beats of ${streams} streams, ${inFlight} of each under way, master and echo server`);
      const busy: Beating[] = [];
      const rateOf = async (server: ServerProcess) => {
        const beating = await answeredPerSecond(fleet, server, { inFlight, seconds });
        if (server === master) busy.push(beating);
        return beating.beatsPerSecond;
      };
      await rateOf(master); // until code is warm
      await rateOf(echo);
      return {
        ...(await both(
          () => rateOf(master),
          () => rateOf(echo),
        )),
        last: busy.at(-1) as Beating,
      };
    };
    const many = await beat(window);
    const single = await beat(1);

    const jobs = Math.max(Math.round(20_000 * scale), 4000);
    say(`${jobs.toLocaleString('en')} jobs assigned and completed, and beats of the echo server`);
    const told: Cycling[] = [];
    const cycles = await both(
      async () => {
        const cycling = await cyclesPerSecond(fleet, master, jobs);
        told.push(cycling);
        return cycling.perSecond;
      },
      async () =>
        (await answeredPerSecond(fleet, echo, { inFlight: window, seconds })).beatsPerSecond,
    );
    return [
      {
        ...ratio(`beats answered, ${window} of each stream under way, master / echo server`, many),
        target: { is: '>=', bound: 0.9 },
        detail: `${perSecond(many.a)} of ${streams} streams, each naming a lease, ${many.last.beatsPerAnswer.toFixed(1)} to an acknowledgement; echo, one answer each, ${perSecond(many.b)}`,
      },
      {
        ...ratio('beats answered, one of each stream under way, master / echo server', single),
        target: { is: '>=', bound: 0.9 },
        detail: `${perSecond(single.a)}, every one by itself; echo ${perSecond(single.b)}`,
      },
      {
        ...ratio('jobs assigned and completed on disk / messages of the echo server', cycles),
        target: { is: '>=', bound: 0.25 },
        detail: `${perSecond(cycles.a)}, ${streams} bots of ${told.at(-1)?.slots} slots; echo ${perSecond(cycles.b)} beats`,
      },
      {
        name: 'CreateJob to Assign at the bot, idle master, p99',
        ...{ value: quantile(times, 0.99), unit: 'ms', target: { is: '<', bound: 10 } },
        spread: [quantile(times, 0.5), quantile(times, 1)],
        detail: `${times.length} jobs, one at a time; spread: median to longest`,
      },
      {
        ...ratio('crash of 10 MiB kept, master / echo server that writes it to disk', uploads),
        target: { is: '>=', bound: 0.8 },
        detail: `${uploads.a.toFixed(0)} MiB/s; echo ${uploads.b.toFixed(0)} MiB/s; both check the SHA-256 and sync the file`,
      },
    ];
  } finally {
    connection.close();
    await Promise.all([master.stop(), echo.stop()]);
  }
}

const ratio = (name: string, { ratio: value, spread }: Comparison) =>
  ({ name, value, spread, unit: 'ratio' }) as const;

const perSecond = (rate: number) => `${Math.round(rate).toLocaleString('en')}/s`;
