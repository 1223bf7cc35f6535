import { connect } from '../../src/client/connect.js';
import { type Job, JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import { startEcho } from '../baseline/start.js';
import type { Bench } from '../bench.js';
import { createJob, uploadTarget } from '../fleet/stock.js';
import { alternate, type Figure } from '../measure.js';
import { runGhz, type ServerProcess, startMaster } from '../processes.js';

/** Callers at once with which either server has as much to do as it can. */
const callers = 400;

/** Unary calls of the master beside those of a bare server with the same messages. */
export async function benchCalls(bench: Bench): Promise<Figure[]> {
  const { folder, say } = bench;
  const master = await startMaster(folder());
  const connection = connect(master.address);
  const job = await createJob(connection, await uploadTarget(connection));
  connection.close();
  const echo = await startEcho(job, folder());
  try {
    const sides = { bench, master, echo };
    say(`GetJob, ${callers} callers, master and echo server`);
    const reads = await compare(sides, 'GetJob', { jobId: job.id }, 0.9);
    say(`CreateJob, ${callers} callers, master and echo server`);
    const creations = await compare(sides, 'CreateJob', creationOf(job), 0.8);
    return [reads, creations];
  } finally {
    await Promise.all([master.stop(), echo.stop()]);
  }
}

/** With the defaults filled in, so that both answer with the same bytes. */
const creationOf = ({ spec }: Job) => ({ spec: spec && JobSpec.toJSON(spec) });

async function compare(
  { bench, master, echo }: { bench: Bench; master: ServerProcess; echo: ServerProcess },
  method: string,
  data: object,
  bound: number,
): Promise<Figure> {
  const tails = new Map<ServerProcess, number>();
  const rateOf = async (server: ServerProcess, seconds: number) => {
    const call = `pandafuzz.v1.JobService/${method}`;
    const load = { address: server.address, call, data, concurrency: callers, seconds };
    const { okPerSecond, codes, p99Ms } = await runGhz(load);
    const others = Object.keys(codes).filter((code) => code !== 'OK');
    if (others.length > 0) throw new Error(`${method} was also answered ${others.join(', ')}`);
    tails.set(server, p99Ms);
    return okPerSecond;
  };
  const seconds = Math.max(Math.round(5 * bench.scale), 2);
  await rateOf(master, seconds); // until code is warm
  await rateOf(echo, seconds);
  const both = await alternate(
    bench.rounds,
    () => rateOf(master, seconds),
    () => rateOf(echo, seconds),
  );
  const p99 = (server: ServerProcess) => `p99 ${tails.get(server)?.toFixed(0)} ms`;
  return {
    name: `${method}, master / echo server`,
    ...{ value: both.ratio, spread: both.spread, unit: 'ratio' },
    target: { is: '>=', bound },
    detail: `${callers} callers; ${perSecond(both.a)}, ${p99(master)}; echo ${perSecond(both.b)}, ${p99(echo)}`,
  };
}

const perSecond = (rate: number) => `${Math.round(rate).toLocaleString('en')}/s`;
