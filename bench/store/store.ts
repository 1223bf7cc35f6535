import { registerBot } from '../../src/store/ops/bots/register-bot.js';
import { putArtifact } from '../../src/store/ops/corpus/put-artifact.js';
import { completeJob } from '../../src/store/ops/jobs/complete-job.js';
import { createJob } from '../../src/store/ops/jobs/create-job.js';
import { listJobs } from '../../src/store/ops/jobs/list-jobs.js';
import { flushBeats } from '../../src/store/ops/leases/flush-beats.js';
import { releaseLease } from '../../src/store/ops/leases/release-lease.js';
import { claimJob } from '../../src/store/ops/scheduling/claim-job.js';
import type { ClaimedJob } from '../../src/store/rows.js';
import { raw, rawGroup } from '../baseline/raw.js';
import { type Bench, count, type Measured, type MeasuredOf, ofTimes, rate } from '../figure.js';
import { Latencies, LoopDelay } from '../latencies.js';
import { alternate, eachInFlight, ofRatio } from '../measure.js';
import { fill, idOf } from './fill.js';
import * as input from './inputs.js';
import { inFlight, type Side, throughStore } from './sides.js';

/**
 * The store by itself: the cost of threads, group commit, deadlines and metrics
 * beside the bare statements, and whether anything grows with the tables.
 */
export async function benchStore(bench: Bench): Promise<MeasuredOf<'store'>> {
  const loop = new LoopDelay();
  return {
    ...(await againstRaw(bench, loop)),
    // Not watched: with 500 callers on it, the thread is busy with making the load.
    ...(await synchronousFull(bench, new LoopDelay())),
    ...(await againstFew(bench, loop)),
    loopDelay: ofTimes(loop.percentiles, 'p99, with the making of the load on the same thread'),
  };
}

async function withBot(side: Side): Promise<Side> {
  await side.run(putArtifact, input.target);
  await side.run(registerBot, input.bot);
  return side;
}

/** The same rate of two sides by turns. `words`: for the second one. */
async function compare(
  { rounds }: Bench,
  [a, b]: readonly [Side, Side],
  words: string,
  measure: (side: Side) => Promise<{ perSecond: number }>,
): Promise<Measured> {
  const both = await alternate(
    rounds,
    () => measure(a),
    () => measure(b),
  );
  return ofRatio(both, 'perSecond', (ours, theirs) => `${rate(ours)}; ${words} ${rate(theirs)}`);
}

/** Touches, creations, claims and completions, durable, against the same statements raw. */
async function againstRaw(bench: Bench, loop: LoopDelay) {
  bench.say(`store / raw: ${inFlight} in flight against transactions of ${rawGroup}`);
  const ours = await withBot(await throughStore(bench.folder(), loop));
  const theirs = await withBot(raw(`${bench.folder()}/raw.db`));
  const total = Math.round(4000 * bench.scale);
  const many = <T>(make: () => T) => Array.from({ length: total }, make);
  const held = new Map<Side, ClaimedJob[]>([ours, theirs].map((side) => [side, []]));
  const compared = (measure: (side: Side) => Promise<{ perSecond: number }>) =>
    compare(bench, [ours, theirs], 'raw', measure);
  const figures = {
    touches: await compared(async (side) => {
      const flushes = many(() => input.flush(rawGroup));
      return { perSecond: (await side.all(flushBeats, flushes)).perSecond * rawGroup };
    }),
    creations: await compared((side) => side.all(createJob, many(input.newJob))),
    claims: await compared(async (side) => {
      const claimed = await side.all(claimJob, many(input.claim));
      for (const job of claimed.outputs) if (job) held.get(side)?.push(job);
      return claimed;
    }),
    completions: await compared((side) => {
      const jobs = held.get(side)?.splice(0, total) ?? [];
      return side.all(completeJob, jobs.map(input.completion));
    }),
  };
  await Promise.all([ours.close(), theirs.close()]);
  return figures;
}

/** The cost of a commit that is on the disk: decides the default. */
async function synchronousFull(bench: Bench, loop: LoopDelay) {
  bench.say('synchronous FULL / NORMAL, under group commit');
  const full = await withBot(await throughStore(bench.folder(), loop, 'full'));
  const normal = await withBot(await throughStore(bench.folder(), loop, 'normal'));
  const creations = (atOnce: number) =>
    compare(bench, [full, normal], 'NORMAL', (side) => {
      const jobs = Array.from({ length: Math.round(20_000 * bench.scale) }, input.newJob);
      return side.all(createJob, jobs, atOnce);
    });
  const figures = { full100: await creations(100), full500: await creations(500) };
  await Promise.all([full.close(), normal.close()]);
  return figures;
}

/** Claims and pages over many rows against the same over few. */
async function againstFew(bench: Bench, loop: LoopDelay) {
  const { rounds, say, sizes } = bench;
  say(`filling a table with ${count(sizes.jobs)} jobs`);
  const filled = async (jobs: number) => {
    const directory = bench.folder();
    await (await withBot(await throughStore(directory, loop))).close();
    fill(directory, jobs, input.job);
    return throughStore(directory, loop);
  };
  const [many, few] = [await filled(sizes.jobs), await filled(1000)];
  const latency = async (one: () => Promise<unknown>) => {
    const took = new Latencies();
    const timed = async () => {
      const startedAt = performance.now();
      await one();
      took.recordSince(startedAt);
    };
    await loop.watch(() => eachInFlight(Array.from({ length: 300 }), 1, timed));
    return took.percentiles;
  };
  const claim = (side: Side) => () =>
    latency(async () => {
      const job = await side.run(claimJob, input.claim());
      if (!job) throw new Error('nothing to claim');
      await side.run(releaseLease, input.giveBack(job));
    });
  const page = (beforeId: string) => () =>
    latency(() => many.run(listJobs, { beforeId, limit: 100 }));
  say('claims with many pending / with few; the last page / the first');
  const claims = await alternate(rounds, claim(many), claim(few));
  const pages = await alternate(rounds, page(idOf(101)), page('z'));
  await Promise.all([many.close(), few.close()]);
  const detail = (a: number, b: number) => `${a.toFixed(2)} ms against ${b.toFixed(2)} ms`;
  return { claimOfMany: ofRatio(claims, 'p50', detail), pages: ofRatio(pages, 'p50', detail) };
}
