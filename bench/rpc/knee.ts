import type { Bench } from '../bench.js';
import type { Figure } from '../measure.js';
import { runScenario, type Scenario, type ScenarioRun } from './ghz.js';
import type { Stocked } from './stocked.js';

/** Still fine: so much of what was asked for is answered, and in this time. */
export const leastServed = 0.95;
export const slowestMs = 50;
/** Shares of what callers get that never pause. */
const steps = [0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const callers = 100;

/** The most calls a second that are still answered as they should be. */
export interface Knee {
  readonly perSecond: number;
  readonly figure: Figure;
}

/** Raises the rate of one call step by step, until it is too much. */
export async function findKnee(
  { scale, say }: Bench,
  { master, folder }: Stocked,
  scenario: Scenario,
  data: object,
): Promise<Knee> {
  say(`${scenario}: where the knee is`);
  const seconds = scale < 1 ? 0.5 : 1.5;
  const load = { seconds, concurrency: callers, data };
  const peak = await runScenario(master.address, scenario, folder, load);
  const tried: string[] = [];
  let [perSecond, firstTooMuch] = [0, peak.okPerSecond];
  for (const step of steps) {
    const rate = step * peak.okPerSecond;
    const run = await runScenario(master.address, scenario, folder, { ...load, rate });
    const isFine = keepsUp(run, rate);
    tried.push(`${Math.round(rate)}/s: p99 ${run.times.p99.toFixed(1)} ms`);
    if (!isFine) {
      firstTooMuch = rate;
      break;
    }
    perSecond = rate;
  }
  return { perSecond, figure: kneeFigure(scenario, perSecond, firstTooMuch, tried) };
}

const keepsUp = ({ okPerSecond, times }: ScenarioRun, rate: number) =>
  okPerSecond >= leastServed * rate && times.p99 < slowestMs;

const kneeFigure = (
  scenario: Scenario,
  perSecond: number,
  firstTooMuch: number,
  tried: readonly string[],
): Figure => ({
  name: `knee of ${scenario}`,
  ...{ value: perSecond, spread: [perSecond, firstTooMuch], unit: '/s' },
  detail: `${tried.join(', ')}; spread: to the first rate that was too much`,
  absolute: { kneePerSecond: perSecond },
});
