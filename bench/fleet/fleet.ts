import Database from 'better-sqlite3';
import { connect } from '../../src/client/connect.js';
import { whileBusy } from '../baseline/busy.js';
import type { Bench } from '../bench.js';
import { type Figure, quantile } from '../measure.js';
import { startMaster } from '../processes.js';
import { Crew } from './crew.js';
import { createJobs, registerBots, uploadTarget } from './stock.js';

const intervalMs = 30_000;
const settings = {
  PANDAFUZZ_LEASES_HEARTBEAT_INTERVAL: `${intervalMs}ms`,
  PANDAFUZZ_LEASES_TTL: `${3 * intervalMs}ms`,
};

/** A large fleet whose bots all run a job: what its beats cost, and a restart in its midst. */
export async function benchFleet({ folder, scale, say }: Bench): Promise<Figure[]> {
  const count = Math.max(Math.round(10_000 * scale), 500);
  const bots = `${count.toLocaleString('en')} bots`;
  const directory = folder();
  let master = await startMaster(directory, settings);
  const { address } = master;
  say(`${bots} register and take a job each`);
  const crew = new Crew(address, await stock(address, count));
  try {
    const before = await master.memory();
    await crew.takeJobs();
    say(`they beat every ${intervalMs / 1000} s`);
    await crew.beat(intervalMs, intervalMs * Math.min(scale, 1)); // until all is warm
    const measureMs = 60_000 * scale;
    const { result: timesMs, busy } = await whileBusy(master, () =>
      crew.beat(intervalMs, measureMs),
    );
    const after = await master.memory();

    say('the master is restarted');
    const stoppedAt = performance.now();
    const back = crew.comeBack();
    await master.stop();
    master = await startMaster(directory, { ...settings, PANDAFUZZ_GRPC_ADDRESS: address });
    const readyAt = performance.now();
    const kept = await back;
    const [downMs, resumedMs] = [readyAt - stoppedAt, performance.now() - stoppedAt];
    await crew.finish();
    const again = attemptsIn(directory) - count;
    const growth = (what: 'rssBytes' | 'heapBytes') => (after[what] - before[what]) / count / 1024;
    return [
      figure(`CPU of the master, ${bots} that beat every ${intervalMs / 1000} s`, {
        ...{ value: busy * 100, unit: '% of a core', bound: 5 },
        detail: `${timesMs.length.toLocaleString('en')} beats, each naming a lease with its statistics, in ${(measureMs / 1000).toFixed(0)} s`,
      }),
      figure('memory of the master for each of them, resident', {
        ...{ value: growth('rssBytes'), unit: 'KiB', bound: 64 },
        detail: `with its lease; ${growth('heapBytes').toFixed(1)} KiB of it on the heap`,
      }),
      {
        ...figure('heartbeat acknowledgement, p99', {
          ...{ value: quantile(timesMs, 0.99), unit: 'ms', bound: 50 },
          detail: 'over the same time; spread: median to longest',
        }),
        spread: [quantile(timesMs, 0.5), quantile(timesMs, 1)],
      },
      figure('restart of the master until the last bot has resumed its job', {
        ...{ value: resumedMs / 1000, unit: 's', bound: 30 },
        detail: `from its being told to stop; ${(downMs / 1000).toFixed(1)} s of it until the new one was ready`,
      }),
      figure('jobs lost to the restart, or run a second time', {
        ...{ value: count - kept + again, unit: 'jobs', bound: 1 },
        detail: `${kept.toLocaleString('en')} of ${count.toLocaleString('en')} kept; ${again} attempts more than jobs`,
      }),
    ];
  } finally {
    crew.leave();
    await master.stop();
  }
}

/** @returns the ids of bots for which there is a job each */
async function stock(address: string, count: number): Promise<readonly string[]> {
  const connection = connect(address);
  try {
    await createJobs(connection, await uploadTarget(connection), count);
    return await registerBots(connection, count, 1);
  } finally {
    connection.close();
  }
}

/** Runs that were ever begun, those included that ended in nothing. */
function attemptsIn(directory: string): number {
  const db = new Database(`${directory}/pandafuzz.db`, { readonly: true });
  try {
    return db.prepare('SELECT count(*) FROM attempts').pluck().get() as number;
  } finally {
    db.close();
  }
}

const figure = (
  name: string,
  { value, unit, bound, detail }: { value: number; unit: string; bound: number; detail: string },
): Figure => ({ name, value, spread: [value, value], unit, target: { is: '<', bound }, detail });
