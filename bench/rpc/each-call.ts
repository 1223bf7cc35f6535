import { newId } from '../../src/core/ids.js';
import { type JobSpec, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { listJobs } from '../../src/operator/lists.js';
import type { Bench } from '../bench.js';
import { alternate, type Figure } from '../measure.js';
import { idOf } from '../store/fill.js';
import {
  errorsText,
  messagesOf,
  runScenario,
  type Scenario,
  type ScenarioRun,
  timesText,
} from './ghz.js';
import type { Stocked } from './stocked.js';

interface Call {
  readonly title: string;
  run(): Promise<ScenarioRun>;
}

/** Every call of bench/ghz by itself, by callers that call again as soon as they are answered. */
export async function eachCall(bench: Bench, stocked: Stocked): Promise<Figure[]> {
  const calls = callsOf(bench, stocked);
  const runs = calls.map((): ScenarioRun[] => []);
  for (let round = 1; round <= bench.rounds; round++) {
    bench.say(`every call by ghz, round ${round} of ${bench.rounds}`);
    for (const [index, { run }] of calls.entries()) runs[index]?.push(await run());
  }
  return calls.map(({ title }, index) => figureOf(title, runs[index] ?? []));
}

function callsOf({ scale }: Bench, stocked: Stocked): readonly Call[] {
  const { master, jobId, pullingBotId, beatingBotId, folder } = stocked;
  const seconds = scale < 1 ? 0.3 : 1;
  const cycles = scale < 1 ? 500 : 2000;
  const ghz = (scenario: Scenario, data?: object): Promise<ScenarioRun> =>
    runScenario(master.address, scenario, folder, { seconds, ...(data && { data }) });
  const assign = { bot_id: pullingBotId, wait_ms: 0, lease_ttl_ms: 600_000 };
  const hello = { bot_id: beatingBotId, instance_id: newId() };
  return [
    { title: 'RegisterBot', run: () => ghz('register-bot') },
    { title: 'CreateJob', run: () => ghz('create-job', creationOf(stocked.spec)) },
    { title: 'GetJob', run: () => ghz('get-job', { job_id: jobId }) },
    { title: 'ListJobs, first page of 100', run: () => ghz('list-jobs') },
    { title: 'ListJobs, last page of 100', run: () => ghz('list-jobs-deep', lastPage) },
    {
      title: 'AssignJob',
      run: () => runScenario(master.address, 'assign-job', folder, { calls: cycles, data: assign }),
    },
    {
      title: 'CompleteJob, of the jobs assigned',
      run: async () => {
        const data = await completions(stocked);
        // An AssignJob that comes away with nothing is answered OK, too.
        if (data.length !== cycles) throw new Error(`${data.length} of ${cycles} were assigned`);
        return runScenario(master.address, 'complete-job', folder, { calls: cycles, data });
      },
    },
    { title: 'ListCrashes, first page of 100', run: () => ghz('list-crashes') },
    { title: 'GetSystemStats', run: () => ghz('get-system-stats') },
    {
      title: 'Heartbeat, streams of 50 beats 10 ms apart',
      run: () => ghz('heartbeat', [{ hello }, ...messagesOf('heartbeat').slice(1)]),
    },
  ];
}

/** As jobs are created, in ghz's words. */
export const creationOf = ({ engine, targetSha256, arguments: options }: JobSpec) => ({
  spec: { engine, target_sha256: targetSha256, arguments: options },
});

/** The oldest 100 of the jobs of `fill`. */
export const lastPage = {
  page_size: 100,
  page_token: Buffer.from(idOf(101)).toString('base64url'),
};

/** What ends each lease of the bot that pulls, but for the one it reports crashes under. */
async function completions({ connection, pullingBotId, lease }: Stocked) {
  const running = await listJobs(connection, { state: JobState.RUNNING, limit: 1_000_000 });
  return running
    .filter(({ id, botId }) => botId === pullingBotId && id !== lease?.jobId)
    .map(({ id, attempt, fence }) => ({
      lease: { job_id: id, attempt, fence },
      result: { outcome: 'JOB_OUTCOME_COMPLETED', statistics: { executions: 12_345_678 } },
    }));
}

function figureOf(title: string, runs: readonly ScenarioRun[]): Figure {
  const byRate = [...runs].sort((a, b) => a.okPerSecond - b.okPerSecond);
  const middle = byRate[Math.floor(byRate.length / 2)] as ScenarioRun;
  const [low, high] = [byRate[0], byRate.at(-1)] as [ScenarioRun, ScenarioRun];
  return {
    ...{ name: title, value: middle.okPerSecond, unit: '/s' },
    spread: [low.okPerSecond, high.okPerSecond],
    detail: `${timesText(middle.times)}; ${errorsText(sumOf(runs))}`,
    percentiles: middle.times,
    absolute: { calls: middle.calls, okPerSecond: middle.okPerSecond },
  };
}

function sumOf(runs: readonly ScenarioRun[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { codes } of runs) {
    for (const [code, count] of Object.entries(codes)) sums[code] = (sums[code] ?? 0) + count;
  }
  return sums;
}

/** A page costs the same at any depth. */
export async function pages(
  { rounds, scale, say }: Bench,
  { master, folder }: Stocked,
  rows: number,
): Promise<Figure> {
  say('the last page / the first, over gRPC');
  const seconds = scale < 1 ? 0.3 : 1.5;
  // Few callers: what is asked is how long a page takes, and not how long others do.
  const time = async (scenario: Scenario, data: object) => {
    const load = { seconds, concurrency: 2, data };
    return (await runScenario(master.address, scenario, folder, load)).times.p50;
  };
  const both = await alternate(
    rounds,
    () => time('list-jobs-deep', lastPage),
    () => time('list-jobs', { page_size: 100 }),
  );
  const { ratio: value, spread, a, b } = both;
  return {
    name: 'last page / first page of ListJobs, over gRPC',
    ...{ value, spread, unit: 'ratio', target: { is: '<=', bound: 1.5 } },
    detail: `median call ${a.toFixed(2)} ms against ${b.toFixed(2)} ms, 100 of ${rows.toLocaleString('en')} rows`,
    absolute: { lastPageMs: a, firstPageMs: b },
  };
}
