import { join } from 'node:path';
import { newId } from '../../src/core/ids.js';
import { JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import { type Bench, type Measured, ofRounds } from '../figure.js';
import { alternate, eachInFlight, ofRatio } from '../measure.js';
import { engine, Stage, sendCrash } from '../stage.js';
import { fill, idOf } from '../store/fill.js';
import { runScenario, type ScenarioRun } from './ghz.js';

/** A master that has something of everything. */
export interface Stocked {
  readonly stage: Stage;
  /** Requests that find something, in the JSON of protobuf, by files of bench/ghz. */
  readonly requests: Readonly<Record<string, object>>;
  sendCrash(): Promise<unknown>;
}

const crashes = 200;
const crashInputBytes = 16 * 1024;
/** Files of bench/ghz; the calls of bots are measured on their streams. */
const scenarios = [
  'register-bot',
  'create-job',
  'get-job',
  'list-jobs',
  'list-jobs-deep',
  'list-crashes',
  'get-system-stats',
] as const;
export type Scenario = (typeof scenarios)[number];
export type EachCall = Readonly<Record<Scenario | 'pages', Measured>>;

/** `waiting`: jobs that are there from the start. */
export const withStocked = <T>(
  bench: Bench,
  waiting: number,
  work: (stocked: Stocked) => Promise<T>,
): Promise<T> =>
  Stage.with(bench, {}, async (stage) => {
    const { spec, connection } = stage;
    const { targetSha256, arguments: options } = spec;
    const text = JSON.stringify(JobSpec.toJSON(spec));
    const job = { engine, targetSha256, targetName: 'bench', spec: text };
    await stage.restart({}, () => fill(stage.master.directory, waiting, job));
    const [botId = ''] = await stage.registerBots(1);
    await stage.createJob();
    const lease = await stage.pullJob(botId);
    const folder = bench.folder();
    const send = () => sendCrash(connection, lease, join(folder, newId()), crashInputBytes);
    await eachInFlight(Array.from({ length: crashes }), 8, send);
    const deep = Buffer.from(idOf(101)).toString('base64url');
    const requests = {
      'create-job': { spec: { engine, target_sha256: targetSha256, arguments: options } },
      'get-job': { job_id: (await stage.createJob()).id },
      'list-jobs-deep': { page_size: 100, page_token: deep },
    };
    return work({ stage, requests, sendCrash: send });
  });

/** Every call by itself, by callers that call again as soon as they are answered. */
export async function eachCall({ stage: { bench, master }, requests }: Stocked): Promise<EachCall> {
  const seconds = Math.max(bench.scale, 0.3);
  const call = (scenario: Scenario) => () =>
    runScenario(master.address, scenario, { data: requests[scenario], seconds });
  // The ratio of the times of a page, since a time is as many callers / their rate.
  const depth = await alternate(bench.rounds, call('list-jobs'), call('list-jobs-deep'));
  const pages = ofRatio(depth, 'okPerSecond', 'first pages a second / last pages a second');
  const figures: [Scenario, Measured][] = [];
  for (const scenario of scenarios) {
    bench.say(`${scenario} by itself`);
    const runs: ScenarioRun[] = [];
    while (runs.length < bench.rounds) runs.push(await call(scenario)());
    figures.push([scenario, figureOf(runs)]);
  }
  return { ...Object.fromEntries(figures), pages } as EachCall;
}

function figureOf(runs: readonly ScenarioRun[]): Measured {
  const rates = runs.map(({ okPerSecond }) => okPerSecond);
  const [{ times, codes }] = runs as [ScenarioRun];
  const detail = `p50 ${times.p50.toFixed(1)} ms, p99 ${times.p99.toFixed(1)} ms; ${codes}`;
  return { ...ofRounds(rates, `in the first round ${detail}`), percentiles: times };
}
