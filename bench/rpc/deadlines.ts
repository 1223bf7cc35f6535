import { Metadata } from '@grpc/grpc-js';
import { type Measured, ofTimes, rate } from '../figure.js';
import { Latencies } from '../latencies.js';
import { times } from '../measure.js';
import type { Stage } from '../stage.js';
import { type Disturbance, heldLock } from './disturbances.js';
import type { Scenario } from './each-call.js';
import { codesText, runScenario, type ScenarioRun } from './ghz.js';
import type { Stocked } from './stocked.js';

/** Time that a caller may give a call. */
const deadlineMs = 50;
/** Of the rate of callers that never pause: about half of what is still answered in time. */
const shareOfRate = 0.45;
/** grpc-status of DEADLINE_EXCEEDED. */
const deadlineExceeded = 4;
const atOnce = 20;

/**
 * Shares of calls with a deadline of 50 ms that had no answer in time. One call after
 * the other, so that each has the master to itself. `rates`: of each call by itself.
 */
export async function missedDeadlines(
  { stage, requests }: Stocked,
  rates: Readonly<Record<Scenario, Measured>>,
  disturbance: Disturbance,
): Promise<{ reads: Measured; writes: Measured }> {
  const run = async (scenario: Scenario) => {
    const perSecond = Math.max(shareOfRate * rates[scenario].value, 20);
    const changes = {
      data: requests[scenario] ?? {},
      seconds: Math.max(2 * stage.bench.scale, 0.4),
      rate: perSecond,
      // As many callers as keep that rate up though none of them is answered.
      concurrency: Math.min(Math.ceil((1.2 * perSecond * deadlineMs) / 1000) + 8, 400),
      timeoutMs: deadlineMs,
    };
    return runScenario(stage.master.address, scenario, changes);
  };
  return disturbance(stage, async () => ({
    reads: lateOf({ GetJob: await run('get-job'), ListJobs: await run('list-jobs') }),
    writes: lateOf({ CreateJob: await run('create-job') }),
  }));
}

/** Percent of calls; the spread is of the kinds. */
function lateOf(runs: Readonly<Record<string, ScenarioRun>>): Measured {
  const all = Object.values(runs).map(({ calls, codes }) => [calls - (codes['OK'] ?? 0), calls]);
  const shares = all.map(([late = 0, calls = 0]) => (late / calls) * 100);
  const [late = 0, calls = 0] = all.reduce(([a = 0, b = 0], [c = 0, d = 0]) => [a + c, b + d]);
  const details = Object.entries(runs).map(
    ([call, run]) => `${call} ${rate(run.okPerSecond)}, ${codesText(run.codes)}`,
  );
  return {
    value: (late / calls) * 100,
    spread: [Math.min(...shares), Math.max(...shares)],
    detail: details.join('; '),
  };
}

/**
 * Writes that cannot be done: the time until the master itself answers so. Clients of
 * gRPC give up by their own clocks, and would hide a master that never answers.
 */
export async function answersUnderTheLock(stage: Stage): Promise<Measured> {
  const took = new Latencies();
  const calls = Math.max(800 * stage.bench.scale, 200);
  let others = 0;
  await heldLock(stage, () =>
    times(calls, atOnce, async () => {
      const startedAt = performance.now();
      const status = await createJob(stage);
      took.record(performance.now() - startedAt);
      if (status !== deadlineExceeded) others++;
    }),
  );
  return ofTimes(took.percentiles, `${calls - others} DEADLINE_EXCEEDED, ${others} others`);
}

/** With a deadline for the server only. @returns its grpc-status */
function createJob({ connection, spec }: Stage): Promise<number> {
  const metadata = new Metadata();
  metadata.set('grpc-timeout', `${deadlineMs}m`);
  const request = { spec, requestId: '' };
  return new Promise((resolve) => {
    connection.jobs.createJob(request, metadata, (error) => resolve(error?.code ?? 0));
  });
}
