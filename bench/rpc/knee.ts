import type { Bench } from '../bench.js';
import type { Figure } from '../measure.js';
import { runScenario, type Scenario, type ScenarioRun } from './ghz.js';
import type { Stocked } from './stocked.js';

/** Still fine: so much of what was asked for is answered, and in this time. */
export const leastServed = 0.95;
export const slowestMs = 50;
/** Shares of what callers get that never pause, until one is fine. */
const steps = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1];
const quickSteps = [0.9, 0.6, 0.3, 0.1];
const callers = 100;

/** The most calls a second that are still answered as they should be. */
export interface Knee {
  readonly perSecond: number;
  readonly figure: Figure;
}

/** Lowers the rate of one call step by step, until it is not too much any more. */
export async function findKnee(
  { scale, say }: Bench,
  { master, folder }: Stocked,
  scenario: Scenario,
  data: object,
): Promise<Knee> {
  say(`${scenario}: where the knee is`);
  const seconds = scale < 1 ? 0.3 : 1.5;
  const load = { seconds, concurrency: callers, data };
  const peak = await runScenario(master.address, scenario, folder, load);
  const tried: string[] = [];
  let lastTooMuch = peak.okPerSecond;
  for (const step of scale < 1 ? quickSteps : steps) {
    const rate = step * peak.okPerSecond;
    const run = await runScenario(master.address, scenario, folder, { ...load, rate });
    tried.push(`${Math.round(rate)}/s: p99 ${run.times.p99.toFixed(1)} ms`);
    if (keepsUp(run, rate)) {
      return { perSecond: rate, figure: kneeFigure(scenario, rate, lastTooMuch, tried) };
    }
    lastTooMuch = rate;
  }
  throw new Error(`${scenario} is too slow at any rate: ${tried.join(', ')}`);
}

const keepsUp = ({ okPerSecond, times }: ScenarioRun, rate: number) =>
  okPerSecond >= leastServed * rate && times.p99 < slowestMs;

const kneeFigure = (
  scenario: Scenario,
  perSecond: number,
  lastTooMuch: number,
  tried: readonly string[],
): Figure => ({
  name: `knee of ${scenario}`,
  ...{ value: perSecond, spread: [perSecond, lastTooMuch], unit: '/s' },
  detail: `${tried.join(', ')}; spread: to the lowest rate that was too much`,
  absolute: { kneePerSecond: perSecond },
});
