import { newId } from '../../src/core/ids.js';
import { JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import { beside, type Pace, paceOf, pacesText, type Sides, withSides } from '../baseline/beside.js';
import { type Bench, type MeasuredOf, mib, ofOne, ofTimes, rate } from '../figure.js';
import { Squad } from '../fleet/crew.js';
import { Latencies } from '../latencies.js';
import { alternate, every, ofRatio, type Rounds } from '../measure.js';
import type { ServerProcess } from '../processes.js';
import { plainGrpc, Stage } from '../stage.js';
import { watch } from '../watch.js';
import { type Changes, runScenario } from './ghz.js';

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
    const data = { spec: sides.job.spec && JobSpec.toJSON(sides.job.spec) };
    const load = { ...getJobs(sides), data };
    const create = (server: ServerProcess) => call(server, 'create-job', load);
    const creations = await beside(sides, 'CreateJob', create);
    return {
      getJob: ofRatio(reads, 'perSecond', pacesText(reads)),
      getJobOfCpu: ofRatio(reads, 'perCpuSecond', 'from the same runs'),
      createJob: ofRatio(creations, 'perSecond', pacesText(creations)),
      createJobOfCpu: ofRatio(creations, 'perCpuSecond', 'from the same runs'),
      ...(await overload(sides)),
    };
  });
  const plain = await withSides(bench, plainGrpc, getJob);
  return { ...figures, getJobPlain: ofRatio(plain, 'perSecond', pacesText(plain)) };
}

const getJob = (sides: Sides): Promise<Rounds<Pace>> =>
  beside(sides, 'GetJob', (server) => call(server, 'get-job', getJobs(sides)));

const getJobs = ({ stage: { bench }, job: { id } }: Sides): Changes => ({
  data: { job_id: id },
  seconds: Math.max(3 * bench.scale, 0.4),
  concurrency: callers,
});

const call = (server: ServerProcess, scenario: string, changes: Changes): Promise<Pace> =>
  paceOf(server, async () => {
    const { ok, okPerSecond } = await runScenario(server.address, scenario, changes);
    return { done: ok, perSecond: okPerSecond };
  });

/** Twice that load: a refused call must cost little, and bots must not notice. */
async function overload(sides: Sides) {
  const { bench, master } = sides.stage;
  const acks = new Latencies();
  const squad = new Squad(master.address, await sides.stage.registerBots(bots), 0, {
    answered: (_, sentAtMs) => acks.recordSince(...sentAtMs),
  });
  bench.say('GetJob, twice as many callers');
  const run = (concurrency: number) => call(master, 'get-job', { ...getJobs(sides), concurrency });
  const beating = () => every(beatsPerSecond, (index) => squad.bot(index).beat());
  const runs = await alternate(
    bench.rounds,
    () => run(2 * callers).finally(beating()),
    () => run(callers),
  );
  squad.close();
  const detail = (a: number, b: number) => `${rate(a)}; of half the callers ${rate(b)}`;
  return {
    goodput: ofRatio(runs, 'perSecond', detail),
    overloadAcks: ofTimes(acks.percentiles, `${acks.percentiles.count} beats of ${bots} bots`),
  };
}

/**
 * Calls by the hundred thousand: answered, refused, and given up. The master must not
 * hold more memory after them than before.
 */
export const benchSoak = (bench: Bench): Promise<MeasuredOf<'soak'>> =>
  Stage.with(bench, {}, async (stage) => {
    const { master } = stage;
    const { id } = await stage.createJob();
    const kinds = [
      { share: 0.6, data: { job_id: id } },
      { share: 0.1, data: { job_id: newId() } },
      { share: 0.1, data: { job_id: 'no id' } },
      // Overdue for the server, or cancelled by the client: whichever comes first.
      { share: 0.2, data: { job_id: id }, timeoutMs: 1 },
    ];
    const run = async (total: number) => {
      let codes = '';
      for (const { share, ...kind } of kinds) {
        const changes = { ...kind, calls: Math.round(share * total) };
        codes += `; ${(await runScenario(master.address, 'soak', changes)).codes}`;
      }
      return codes;
    };
    const { calls } = bench.sizes;
    await run(calls / 10); // until caches and code are warm
    const before = await master.look({ collect: true });
    bench.say(`${calls} calls: answered, refused and given up`);
    const { result: codes } = await watch(master, 'soak', () => run(calls));
    const after = await master.look({ collect: true });
    const heap = `${mib(before.heapBytes)} before, ${mib(after.heapBytes)} after`;
    const resident = `resident ${mib(before.rssBytes)}, ${mib(after.rssBytes)}`;
    const grownMib = (after.heapBytes - before.heapBytes) / 2 ** 20;
    return { heap: ofOne(grownMib, `${heap}; ${resident}${codes}`) };
  });
