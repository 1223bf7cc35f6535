import { newId } from '../../src/core/ids.js';
import { registerBot } from '../../src/store/ops/bots/register-bot.js';
import { putArtifact } from '../../src/store/ops/corpus/put-artifact.js';
import { completeJob } from '../../src/store/ops/jobs/complete-job.js';
import { createJob } from '../../src/store/ops/jobs/create-job.js';
import { listJobs } from '../../src/store/ops/jobs/list-jobs.js';
import { flushBeats } from '../../src/store/ops/leases/flush-beats.js';
import { releaseLease } from '../../src/store/ops/leases/release-lease.js';
import { claimJob } from '../../src/store/ops/scheduling/claim-job.js';
import type { ArtifactRow, ClaimedJob } from '../../src/store/rows.js';
import { raw, rawGroup } from '../baseline/raw.js';
import type { Bench } from '../bench.js';
import { LoopDelay } from '../loop-delay.js';
import { alternate, type Comparison, type Figure, latencyOf } from '../measure.js';
import { fill, idOf } from './fill.js';
import { inFlight, type Side, throughStore } from './sides.js';

/**
 * The store by itself: what threads, group commit, deadlines and metrics cost
 * beside the bare statements, and whether anything grows with the tables.
 */
export async function benchStore(bench: Bench): Promise<Figure[]> {
  const loop = new LoopDelay();
  return [
    ...(await againstRaw(bench, loop)),
    // Not watched: with 500 callers on it, the thread is busy with making the load.
    ...(await synchronousFull(bench, new LoopDelay())),
    ...(await againstSmall(bench, loop)),
    loop.figure('event-loop delay of the main thread'),
  ];
}

const engine = 'libfuzzer';
const bot = {
  ...{
    id: 'bot',
    name: 'bot',
    engines: [engine],
    slots: 1,
    labels: {},
    version: '1',
    memoryMib: 0,
    diskMib: 0,
    now: 1,
  },
};
const target: ArtifactRow = {
  ...{ sha256: 'a'.repeat(64), kind: 'target' as const, name: 't', size_bytes: 1, created_at: 1 },
};
const spec = JSON.stringify({ engine, name: 'bench', arguments: ['-rss_limit_mb=2048'] });

const noPause = { retryFirstMs: 0, retryMaxMs: 0 };

const newJob = () => ({
  ...{ id: newId(), requestId: null, engine, priority: 0, maxAttempts: 3, now: Date.now() },
  ...{ targetSha256: target.sha256, seedsSha256: null, targetName: '', spec },
  ...{ kind: 'fuzz' as const, requiredEngine: engine, otherThanBotId: '' },
  ...{ project: 'default', campaign: '', labels: '{}', memoryMib: 0, diskMib: 0, readyAt: null },
  ...{ startWithinMs: null, runWithinMs: null, closeWithinMs: null },
});
/** As many beats as a transaction of the raw side takes: beats are written in batches. */
const flush = () => ({
  bots: Array.from({ length: rawGroup }, () => ({ id: bot.id, lastSeenAt: Date.now() })),
  runs: [],
});
const claim = () => ({
  ...{ botId: bot.id, queues: [1], ttlMs: 30_000, acknowledged: false, now: Date.now() },
});
const completion = ({ id, attempt, fence }: ClaimedJob) => ({
  ...{ jobId: id, attempt, fence, message: '', statistics: '{"executions":1}', now: Date.now() },
  outcome: 'completed' as const,
  ...noPause,
});

async function withBot(side: Side): Promise<Side> {
  await side.run(putArtifact, target);
  await side.run(registerBot, bot);
  return side;
}

/** Touches, creations, claims and completions, durable, against the same statements raw. */
async function againstRaw(
  { folder, rounds, scale, say }: Bench,
  loop: LoopDelay,
): Promise<Figure[]> {
  say(`store / raw: ${inFlight} in flight against transactions of ${rawGroup}`);
  const ours = await withBot(await throughStore(folder(), loop));
  const theirs = await withBot(raw(`${folder()}/raw.db`));
  const count = Math.round(4000 * scale);
  const times = <T>(make: () => T) => Array.from({ length: count }, make);
  const figures: Figure[] = [];
  const compare = async (what: string, measure: (side: Side) => Promise<number>) => {
    const both = await alternate(
      rounds,
      () => measure(ours),
      () => measure(theirs),
    );
    figures.push({
      ...ratio(`${what}, store / raw`, both, '>=', 0.5),
      detail: `${perSecond(both.a)} durable; raw ${perSecond(both.b)}`,
    });
  };
  const held = new Map<Side, ClaimedJob[]>([
    [ours, []],
    [theirs, []],
  ]);
  await compare(`heartbeat touches, ${rawGroup} a flush`, async (side) => {
    const flushes = await side.all(flushBeats, times(flush));
    return flushes.perSecond * rawGroup;
  });
  await compare('creations', async (side) => (await side.all(createJob, times(newJob))).perSecond);
  await compare('claims', async (side) => {
    const claimed = await side.all(claimJob, times(claim));
    for (const job of claimed.outputs) if (job) held.get(side)?.push(job);
    return claimed.perSecond;
  });
  await compare('completions', async (side) => {
    const jobs = held.get(side)?.splice(0, count) ?? [];
    return (await side.all(completeJob, jobs.map(completion))).perSecond;
  });
  await Promise.all([ours.close(), theirs.close()]);
  return figures;
}

/** What it costs that a commit is on the platter: decides the default. */
async function synchronousFull(
  { folder, rounds, scale, say }: Bench,
  loop: LoopDelay,
): Promise<Figure[]> {
  say('synchronous FULL / NORMAL, under group commit');
  const full = await withBot(await throughStore(folder(), loop, 'full'));
  const normal = await withBot(await throughStore(folder(), loop, 'normal'));
  const figures: Figure[] = [];
  for (const atOnce of [inFlight, 5 * inFlight]) {
    const create = async (side: Side) => {
      const jobs = Array.from({ length: Math.round(20_000 * scale) }, newJob);
      return (await side.all(createJob, jobs, atOnce)).perSecond;
    };
    const both = await alternate(
      rounds,
      () => create(full),
      () => create(normal),
    );
    figures.push({
      ...ratio(`creations, ${atOnce} in flight, FULL / NORMAL`, both, '>=', 0.9),
      detail: `${perSecond(both.a)} against ${perSecond(both.b)}`,
    });
  }
  await Promise.all([full.close(), normal.close()]);
  return figures;
}

/** Claims and pages over many rows against the same over few. */
async function againstSmall(
  { folder, rounds, scale, say }: Bench,
  loop: LoopDelay,
): Promise<Figure[]> {
  const [many, few] = [Math.round(1_000_000 * scale), 1000];
  say(`filling a table with ${many.toLocaleString('en')} jobs`);
  const [large, small] = [folder(), folder()];
  for (const [directory, jobs] of [
    [large, many],
    [small, few],
  ] as const) {
    await (await withBot(await throughStore(directory, loop))).close();
    fill(directory, jobs, { engine, targetSha256: target.sha256, targetName: 't', spec });
  }
  const sides = [await throughStore(large, loop), await throughStore(small, loop)] as const;
  say('claims with many pending / with few');
  const claimOnce = async (side: Side) => {
    const job = await side.run(claimJob, claim());
    if (!job) throw new Error('nothing to claim');
    const back = {
      jobId: job.id,
      fence: job.fence,
      outcome: 'lost',
      message: '',
      statistics: null,
      ...noPause,
    } as const;
    await side.run(releaseLease, { ...back, now: Date.now() });
  };
  const claims = await alternate(
    rounds,
    () => loop.watch(() => latencyOf(300, () => claimOnce(sides[0]))),
    () => loop.watch(() => latencyOf(300, () => claimOnce(sides[1]))),
  );
  say('the last page / the first');
  const page = (beforeId: string) => () =>
    loop.watch(() => latencyOf(300, () => sides[0].run(listJobs, { beforeId, limit: 100 })));
  const pages = await alternate(rounds, page(idOf(101)), page('z'));
  await Promise.all(sides.map((side) => side.close()));
  return [
    {
      ...ratio(`claim with ${many.toLocaleString('en')} pending / with 1,000`, claims, '<=', 1.5),
      detail: `${milliseconds(claims.a)} against ${milliseconds(claims.b)}, claimed and given back`,
    },
    {
      ...ratio('last page / first page of ListJobs', pages, '<=', 1.5),
      detail: `${milliseconds(pages.a)} against ${milliseconds(pages.b)}, 100 of ${many.toLocaleString('en')} rows`,
    },
  ];
}

const perSecond = (rate: number) => `${Math.round(rate).toLocaleString('en')}/s`;
const milliseconds = (time: number) => `${time.toFixed(2)} ms`;

const ratio = (
  name: string,
  { ratio: value, spread }: Comparison,
  is: '>=' | '<=',
  bound: number,
) => ({ name, value, spread, unit: 'ratio', target: { is, bound } }) as const;
