import { type Measured, ofRounds } from '../figure.js';
import { ofRatio } from '../measure.js';
import { codesText, runScenario, type ScenarioRun } from './ghz.js';
import type { Stocked } from './stocked.js';

/** Files of bench/ghz; what bots call is measured on their streams. */
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

/** Every call by itself, by callers that call again as soon as they are answered. */
export async function eachCall({ stage, requests }: Stocked) {
  const { bench, master } = stage;
  const runs = Object.fromEntries(scenarios.map((scenario) => [scenario, []])) as unknown as Record<
    Scenario,
    ScenarioRun[]
  >;
  const seconds = Math.max(bench.scale, 0.3);
  for (let round = 1; round <= bench.rounds; round++) {
    bench.say(`every call by ghz, round ${round} of ${bench.rounds}`);
    for (const scenario of scenarios) {
      const data = requests[scenario];
      const changes = { seconds, ...(data && { data }) };
      runs[scenario].push(await runScenario(master.address, scenario, changes));
    }
  }
  const figures = scenarios.map((scenario) => [scenario, figureOf(runs[scenario])]);
  const depth = { a: runs['list-jobs'], b: runs['list-jobs-deep'] };
  const detail = 'first pages a second / last pages a second, from the lines of each';
  return {
    ...(Object.fromEntries(figures) as Record<Scenario, Measured>),
    // Of the times of a page, which are as many callers / their rate.
    pages: ofRatio(
      depth,
      ({ okPerSecond }) => okPerSecond,
      () => detail,
    ),
  };
}

function figureOf(runs: readonly ScenarioRun[]): Measured {
  const rates = runs.map(({ okPerSecond }) => okPerSecond);
  const [{ times, codes }] = runs as [ScenarioRun];
  const detail = `p50 ${times.p50.toFixed(1)} ms, p99 ${times.p99.toFixed(1)} ms; ${codesText(codes)}`;
  return { ...ofRounds(rates, `in the first round ${detail}`), percentiles: times };
}
