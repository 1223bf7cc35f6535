import { join } from 'node:path';
import { Metadata, status } from '@grpc/grpc-js';
import Database from 'better-sqlite3';
import { isCancelled } from '../../src/client/failure.js';
import { downloadBackup } from '../../src/client/transfer.js';
import { type Measured, ofRounds, ofTimes, rate } from '../figure.js';
import { Latencies } from '../latencies.js';
import { eachInFlight } from '../measure.js';
import type { Stage } from '../stage.js';
import { watch } from '../watch.js';
import { runScenario } from './ghz.js';
import type { EachCall, Scenario, Stocked } from './stocked.js';

/** Time that a caller may give a call. */
const deadlineMs = 50;
/** Of the rate of callers that never pause: about half of what is still answered in time. */
const shareOfRate = 0.45;

/** Does something beside the work. */
export type Disturbance = <T>(stage: Stage, work: () => Promise<T>) => Promise<T>;

export const nothing: Disturbance = (_, work) => work();

/** This process holds the write lock, as an operator's sqlite3 shell may. */
export const heldLock: Disturbance = async ({ master }, work) => {
  const db = new Database(join(master.directory, 'pandafuzz.db'), { timeout: 10_000 });
  db.exec('BEGIN IMMEDIATE');
  return work().finally(() => db.exec('COMMIT').close());
};

/** Copies of the database are made and downloaded, one after the other. */
export const backups: Disturbance = async ({ bench, connection }, work) => {
  const over = new AbortController();
  const path = join(bench.folder(), 'copy');
  const copy = async () => {
    while (!over.signal.aborted) await downloadBackup(connection, path, { signal: over.signal });
  };
  const copying = copy().catch((error) => {
    if (!isCancelled(error)) throw error;
  });
  const result = await work().finally(() => over.abort());
  await copying;
  return result;
};

/**
 * Shares of calls with a deadline of 50 ms that had no answer in time. One call after
 * the other, so that each has the master to itself. `rates`: of each call by itself.
 */
export async function missedDeadlines(
  { stage, requests }: Stocked,
  rates: EachCall,
  disturbance: Disturbance,
): Promise<{ reads: Measured; writes: Measured }> {
  stage.bench.say('calls with deadlines of 50 ms');
  const run = async (scenario: Scenario) => {
    const perSecond = Math.max(shareOfRate * rates[scenario].value, 20);
    const changes = {
      data: requests[scenario],
      seconds: Math.max(2 * stage.bench.scale, 0.4),
      rate: perSecond,
      // As many callers as keep that rate up though none of them is answered.
      concurrency: Math.min(Math.ceil((1.2 * perSecond * deadlineMs) / 1000) + 8, 400),
      timeoutMs: deadlineMs,
    };
    const served = await runScenario(stage.master.address, scenario, changes);
    const words = `${scenario} ${rate(served.okPerSecond)}, ${served.codes}`;
    return { calls: served.calls, late: served.calls - served.ok, words };
  };
  const work = async () => ({
    reads: percentOf([await run('get-job'), await run('list-jobs')]),
    writes: percentOf([await run('create-job')]),
  });
  const disturbed = () => disturbance(stage, work);
  return (await watch(stage.master, '50 ms deadlines', disturbed)).result;
}

/** The spread is of the kinds of calls. */
function percentOf(kinds: readonly { calls: number; late: number; words: string }[]): Measured {
  const sum = (key: 'calls' | 'late') => kinds.reduce((total, kind) => total + kind[key], 0);
  const shares = kinds.map(({ late, calls }) => (late / calls) * 100);
  const each = ofRounds(shares, kinds.map(({ words }) => words).join('; '));
  return { ...each, value: (sum('late') / sum('calls')) * 100 };
}

/**
 * Writes that cannot be done: the time until the master itself answers so. Clients of
 * gRPC give up by their own clocks, and would hide a master that never answers.
 */
export async function answersUnderTheLock(stage: Stage): Promise<Measured> {
  const took = new Latencies();
  const calls = Array.from({ length: Math.max(800 * stage.bench.scale, 200) });
  let others = 0;
  const metadata = new Metadata();
  metadata.set('grpc-timeout', `${deadlineMs}m`); // a deadline for the server only
  const request = { spec: stage.spec, requestId: '' };
  const createJob = async () => {
    const startedAt = performance.now();
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    stage.connection.jobs.createJob(request, metadata, (error) => resolve(error?.code));
    if ((await promise) !== status.DEADLINE_EXCEEDED) others++;
    took.recordSince(startedAt);
  };
  await heldLock(stage, () => eachInFlight(calls, 20, createJob));
  return ofTimes(took.percentiles, `of ${calls.length}, ${others} with another status`);
}
