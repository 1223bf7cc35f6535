import { JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import { beside, type Pace, paceOf, pacesText, type Sides, withSides } from '../baseline/beside.js';
import type { Bench } from '../bench.js';
import { type MeasuredOf, ofTimes } from '../figure.js';
import { Squad } from '../fleet/squad.js';
import { Latencies } from '../latencies.js';
import { alternate, every, ofRatio, type Rounds } from '../measure.js';
import type { ServerProcess } from '../processes.js';
import { plainGrpc } from '../stage.js';
import { runScenario } from './ghz.js';

/** Callers at once with which either server has as much to do as ghz can bring. */
const callers = 400;
/** Bots that beat under twice that load, and beats of all of them. */
const bots = 10;
const beatsPerSecond = 200;

/**
 * Unary calls of the master beside those of a bare server with the same messages.
 * ghz on one core may not keep a core of the echo server busy; so there is also,
 * from the same runs, how many calls a second of each server's CPU answers.
 */
export async function benchCalls(bench: Bench): Promise<MeasuredOf<'calls'>> {
  const figures = await withSides(bench, {}, async (sides) => {
    const reads = await getJob(sides);
    // With the defaults filled in, so that both answer with the same bytes.
    const spec = sides.job.spec && JobSpec.toJSON(sides.job.spec);
    const creations = await compare(sides, 'create-job', { spec });
    return {
      getJob: rates(reads),
      getJobOfCpu: ofCpu(reads),
      createJob: rates(creations),
      createJobOfCpu: ofCpu(creations),
      ...(await overload(sides)),
    };
  });
  const getJobPlain = rates(await withSides(bench, plainGrpc, getJob));
  return { ...figures, getJobPlain };
}

const getJob = (sides: Sides) => compare(sides, 'get-job', { job_id: sides.job.id });

function compare(sides: Sides, scenario: string, data: object): Promise<Rounds<Pace>> {
  sides.stage.bench.say(`${scenario}, ${callers} callers, master and echo server`);
  return beside(sides, (server) => call(sides, server, { scenario, data, callers }));
}

interface Load {
  readonly scenario: string;
  readonly data: object;
  readonly callers: number;
}

function call({ stage }: Sides, server: ServerProcess, load: Load): Promise<Pace> {
  const { scenario, data, callers: concurrency } = load;
  const seconds = Math.max(3 * stage.bench.scale, 0.4);
  return paceOf(server, async () => {
    const changes = { data, seconds, concurrency };
    const { codes, okPerSecond } = await runScenario(server.address, scenario, changes);
    const { OK: done = 0, ...others } = codes;
    const names = Object.keys(others);
    if (names.length > 0 && concurrency === callers)
      throw new Error(`${scenario} was also answered ${names.join(', ')}`);
    return { done, perSecond: okPerSecond };
  });
}

const rates = (paces: Rounds<Pace>) =>
  ofRatio(
    paces,
    ({ perSecond }) => perSecond,
    () => `${callers} callers; ${pacesText(paces)}`,
  );

const ofCpu = (paces: Rounds<Pace>) =>
  ofRatio(
    paces,
    ({ perCpuSecond }) => perCpuSecond,
    () => 'from the same runs',
  );

/** Twice that load: a refused call must cost little, and bots must not notice. */
async function overload(sides: Sides) {
  const { stage, job } = sides;
  const acks = new Latencies();
  const squad = new Squad(stage.master.address, await stage.registerBots(bots), 0, {
    answered(_, sentAtMs) {
      for (const at of sentAtMs) acks.record(performance.now() - at);
    },
  });
  const load = { scenario: 'get-job', data: { job_id: job.id } };
  const run = (factor: number) => call(sides, stage.master, { ...load, callers: factor * callers });
  stage.bench.say(`get-job, ${callers} and ${2 * callers} callers`);
  const runs = await alternate(
    stage.bench.rounds,
    async () => {
      const stop = every(beatsPerSecond, (index) => squad.bot(index).beat());
      return run(2).finally(stop);
    },
    () => run(1),
  );
  squad.close();
  const detail = (a: number, b: number) =>
    `${2 * callers} callers, ${a.toFixed(0)}/s; ${callers}, ${b.toFixed(0)}/s`;
  return {
    goodput: ofRatio(runs, ({ perSecond }) => perSecond, detail),
    overloadAcks: ofTimes(acks.percentiles, `${acks.percentiles.count} beats of ${bots} bots`),
  };
}
