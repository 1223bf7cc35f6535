import { connect } from '../../src/client/connect.js';
import { type Job, JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import { startEcho } from '../baseline/start.js';
import type { Bench } from '../bench.js';
import { createJob, uploadTarget } from '../fleet/stock.js';
import { alternate, type Comparison, type Figure, median } from '../measure.js';
import { type ServerProcess, startMaster } from '../processes.js';
import { whileBusy } from '../vitals.js';
import { runScenario } from './ghz.js';

/** Callers at once with which either server has as much to do as ghz can bring. */
const callers = 400;

const scenarios = { GetJob: 'get-job', CreateJob: 'create-job' } as const;
type Method = keyof typeof scenarios;

/**
 * Unary calls of the master beside those of a bare server with the same messages.
 * ghz on one core may not keep a core of the echo server busy; so there is also,
 * from the same runs, how many calls a second of each server's CPU answers.
 */
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
    const reads = await compare(sides, 'GetJob', { job_id: job.id }, 0.9);
    say(`CreateJob, ${callers} callers, master and echo server`);
    const creations = await compare(sides, 'CreateJob', creationOf(job), 0.8);
    return [...reads, ...creations];
  } finally {
    await Promise.all([master.stop(), echo.stop()]);
  }
}

/** With the defaults filled in, so that both answer with the same bytes. */
const creationOf = ({ spec }: Job) => ({ spec: spec && JobSpec.toJSON(spec) });

/** One run of ghz. */
interface Run {
  readonly perSecond: number;
  /** For each second of the server's CPU. */
  readonly perCpuSecond: number;
  readonly busy: number;
  readonly p99Ms: number;
}

async function compare(
  { bench, master, echo }: { bench: Bench; master: ServerProcess; echo: ServerProcess },
  method: Method,
  data: object,
  bound: number,
): Promise<Figure[]> {
  const seconds = Math.max(3 * bench.scale, 0.4);
  const load = { data, folder: bench.folder(), seconds };
  const [masters, echoes]: [Run[], Run[]] = [[], []];
  const run = async (server: ServerProcess, runs: Run[]) => {
    const one = await call(server, method, load);
    runs.push(one);
    return one.perSecond;
  };
  await run(master, []); // until code is warm
  await run(echo, []);
  const both = await alternate(
    bench.rounds,
    () => run(master, masters),
    () => run(echo, echoes),
  );
  const target = { is: '>=', bound } as const;
  const ofCpu = perCpuSecond(masters, echoes);
  return [
    {
      name: `${method}, master / echo server`,
      ...{ value: both.ratio, spread: both.spread, unit: 'ratio', target },
      absolute: { master: both.a, echo: both.b },
      detail: `${callers} callers; ${rate(both.a)}, ${about(masters)}; echo ${rate(both.b)}, ${about(echoes)}`,
    },
    {
      name: `${method} for a second of CPU, master / echo server`,
      ...{ value: ofCpu.ratio, spread: ofCpu.spread, unit: 'ratio', target },
      absolute: { master: ofCpu.a, echo: ofCpu.b },
      detail: `${rate(ofCpu.a)} of CPU; echo ${rate(ofCpu.b)}`,
    },
  ];
}

async function call(
  server: ServerProcess,
  method: Method,
  load: { data: object; folder: string; seconds: number },
): Promise<Run> {
  const { folder, ...changes } = { ...load, concurrency: callers };
  const { result, cpuSeconds, busy } = await whileBusy(server, () =>
    runScenario(server.address, scenarios[method], folder, changes),
  );
  const { okPerSecond: perSecond, codes, times } = result;
  const others = Object.keys(codes).filter((code) => code !== 'OK');
  if (others.length > 0) throw new Error(`${method} was also answered ${others.join(', ')}`);
  return { perSecond, perCpuSecond: (codes['OK'] ?? 0) / cpuSeconds, busy, p99Ms: times.p99 };
}

function perCpuSecond(masters: readonly Run[], echoes: readonly Run[]): Comparison {
  const ofCpu = (runs: readonly Run[]) => runs.map((run) => run.perCpuSecond);
  const [as, bs] = [ofCpu(masters), ofCpu(echoes)];
  const ratios = as.map((a, round) => a / (bs[round] as number));
  const spread: [number, number] = [Math.min(...ratios), Math.max(...ratios)];
  return { a: median(as), b: median(bs), ratio: median(ratios), spread };
}

const about = (runs: readonly Run[]) => {
  const busy = median(runs.map((run) => run.busy));
  const p99Ms = median(runs.map((run) => run.p99Ms));
  return `its core ${(busy * 100).toFixed(0)} % busy, p99 ${p99Ms.toFixed(0)} ms`;
};

const rate = (perSecond: number) => `${Math.round(perSecond).toLocaleString('en')}/s`;
