import { planOf } from './plan.js';
import { shrink } from './shrink.js';
import { type Outcome, World } from './world.js';

/** `make simulate`: SEEDS of them from FROM on; or one SEED, with STEPS of it. */
const { SEEDS = '100', FROM = '1', SEED, STEPS, TRACE } = process.env;

async function simulate(seed: string, only?: readonly number[]): Promise<Outcome> {
  const print = TRACE ? (line: string) => process.stdout.write(`${line}\n`) : undefined;
  return new World(planOf(seed, only), undefined, print).run();
}

function show({ plan, violation, recent, hash, events }: Outcome): void {
  const steps = plan.steps.map(({ index }) => index).join(',');
  console.log(`\nseed ${plan.seed}: ${violation?.kind}: ${violation?.what}`);
  console.log(
    `  at ${violation?.at.toFixed(3)} ms, event ${violation?.event} of ${events}, hash ${hash}`,
  );
  console.log(`  again: make simulate SEED=${plan.seed} STEPS=${steps}`);
  for (const { index, at, kind } of plan.steps) {
    console.log(`  step ${index} at ${at.toFixed(0)} ms: ${kind}`);
  }
  console.log('  the last events:');
  for (const line of recent) console.log(`    ${line}`);
}

async function one(seed: string, steps: readonly number[] | undefined): Promise<number> {
  const outcome = await simulate(seed, steps);
  if (outcome.violation) show(outcome);
  else
    console.log(`seed ${seed}: ${outcome.events} events, hash ${outcome.hash}: all promises kept`);
  return outcome.violation ? 1 : 0;
}

async function many(from: number, count: number): Promise<number> {
  const [startedAt, usedBefore] = [process.uptime(), process.cpuUsage()];
  let [events, failed, virtualMs] = [0, 0, 0];
  const totals = { jobs: 0, results: 0, crashes: 0, calmLooks: 0 };
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await simulate(String(seed));
    events += outcome.events;
    virtualMs += outcome.virtualMs;
    for (const figure of Object.keys(totals) as (keyof typeof totals)[])
      totals[figure] += outcome.figures[figure];
    if (!outcome.violation) continue;
    failed++;
    show(await shrink(outcome, (only) => simulate(String(seed), only)));
  }
  const minutes = (process.uptime() - startedAt) / 60;
  const { user, system } = process.cpuUsage(usedBefore);
  const [rate, ofCpu] = [minutes, (user + system) / 60e6].map((spent) =>
    Math.round(events / spent),
  );
  console.log(`${count} seeds from ${from} on, ${failed} with a broken promise`);
  console.log(
    `${events} events of ${Math.round(virtualMs / 60_000)} virtual minutes, ${rate} a minute (${ofCpu} of CPU)`,
  );
  console.log(
    `${totals.jobs} jobs, ${totals.results} results and ${totals.crashes} crashes confirmed`,
  );
  console.log(`${totals.calmLooks} looks at memory and reasons`);
  return failed > 0 ? 1 : 0;
}

const steps = STEPS?.split(',').map(Number);
process.exitCode = SEED ? await one(SEED, steps) : await many(Number(FROM), Number(SEEDS));
// Instruments of the event loop would hold the process up.
process.exit();
