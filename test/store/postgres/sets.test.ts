import { beforeAll, expect, test } from '@jest/globals';
import type { Operation } from '../../../src/store/operation.js';
import { registerBot } from '../../../src/store/ops/bots/register-bot.js';
import { putArtifact } from '../../../src/store/ops/corpus/put-artifact.js';
import { listEvents } from '../../../src/store/ops/events/list-events.js';
import { completeJob } from '../../../src/store/ops/jobs/complete-job.js';
import { createJob } from '../../../src/store/ops/jobs/create-job.js';
import { listJobs } from '../../../src/store/ops/jobs/list-jobs.js';
import { showJob } from '../../../src/store/ops/jobs/show-job.js';
import { acknowledgeLease } from '../../../src/store/ops/leases/acknowledge-lease.js';
import { listLeases } from '../../../src/store/ops/leases/list-leases.js';
import { claimJob } from '../../../src/store/ops/scheduling/claim-job.js';
import { readCounters } from '../../../src/store/ops/upkeep/read-counters.js';
import type { ClaimedJob } from '../../../src/store/rows.js';
import { SqliteStore } from '../../../src/store/sqlite/store.js';
import type { Store } from '../../../src/store/store.js';
import { atEnd, shared, temporaryFolder, testContext } from '../../harness.js';
import { databaseOf, ownServer, testServer } from '../../postgres/databases.js';
import { openOn, optionsOf } from '../../postgres/store-on.js';
import { botInput, claimInput, completeInput, jobInput, target } from '../inputs.js';

let server: string;
beforeAll(async () => {
  server = testServer ?? (await shared(ownServer)).adminUrl;
});

const bots = ['bot-a', 'bot-b'];
const jobs = Array.from({ length: 24 }, (_, at) => ({
  ...jobInput({ id: `job-${String(at).padStart(2, '0')}`, priority: at % 3, now: 100 + at }),
  campaign: at % 4 === 0 ? 'other' : '',
}));

/** Batches, each of which comes to the store at once, as a busy turn of the master has it. */
async function tell(store: Store): Promise<unknown[]> {
  const told: unknown[] = [];
  const each = async <Input, Output>(of: Operation<Input, Output>, inputs: readonly Input[]) => {
    const outcomes = await store.runEach(testContext(), of, inputs);
    const plain = outcomes.map((one) =>
      one.ok ? { ok: one.value ?? null } : { fails: String(one.error) },
    );
    told.push({ operation: of.name, plain });
    return outcomes.map((one) => (one.ok ? one.value : undefined));
  };
  const claim = async (count: number, queues: number[], now: number) => {
    const inputs = Array.from({ length: count }, (_, at) => ({
      ...claimInput(bots[at % 2] as string, false),
      queues,
      now,
    }));
    const claimed = await each(claimJob, inputs);
    return claimed.flatMap((job, at) => (job ? [{ job, botId: inputs[at]?.botId as string }] : []));
  };
  await store.run(testContext(), putArtifact, target);
  for (const id of bots) await store.run(testContext(), registerBot, botInput(id, id));
  await each(createJob, jobs);
  const some = await claim(9, [1, 2], 200);
  const rest = await claim(20, [1], 201);
  const leases = [...some, ...rest];
  const named = ({ job, botId }: (typeof leases)[0], now: number) => {
    const { id: jobId, attempt, fence } = job as ClaimedJob;
    return { jobId, attempt, fence, botId, now };
  };
  // Taken twice, by another bot, and under a fence that never was.
  const taken = leases.slice(0, 12).map((lease) => named(lease, 210));
  const [first, second] = taken as [(typeof taken)[0], (typeof taken)[0]];
  await each(acknowledgeLease, [...taken, first, { ...second, botId: 'bot-x' }]);
  await each(acknowledgeLease, [
    { ...first, fence: 99 },
    { ...second, now: 211 },
  ]);
  const end = (lease: (typeof leases)[0], at: number) => {
    const outcome = at % 5 === 4 ? ('failed' as const) : ('completed' as const);
    const acknowledged = at >= 12 ? { acknowledged: { botId: lease.botId, at: 219 } } : {};
    const statistics = at % 2 ? '{"executions":"5"}' : null;
    const told = { ...completeInput(lease.job as ClaimedJob, outcome), statistics, now: 220 };
    return {
      ...told,
      botId: lease.botId,
      message: at % 3 ? 'm' : 'a\ttab "q" \\ {}',
      ...acknowledged,
    };
  };
  const ends = leases.slice(0, 18).map(end);
  await each(completeJob, [...ends, ends[0] as (typeof ends)[0]]);
  await each(completeJob, [
    ...ends.slice(0, 3),
    { ...(ends[1] as (typeof ends)[0]), message: 'n' },
  ]);
  // What failed waits again, beside what was never handed out.
  await claim(6, [1, 2], 230);
  const read = <Input, Output>(of: Operation<Input, Output>, input: Input) =>
    store.run(testContext(), of, input);
  const ids = jobs.map(({ id }) => id);
  // Numbers of a group that was rolled back are left out on PostgreSQL.
  const { events } = await read(listEvents, { cursor: 0, jobId: undefined, limit: 500 });
  return [
    ...told,
    await read(listJobs, { beforeId: 'z', limit: 100 }),
    await read(listLeases, { afterJobId: '', limit: 100 }),
    await Promise.all(ids.map((jobId) => read(showJob, { jobId, attempts: 9 }))),
    events.map(({ event, job }) => ({ event: { ...event, sequence: 0 }, job })),
    await read(readCounters, null),
  ];
}

test('operations in sets do what they do one by one, and what they do on SQLite', async () => {
  const sqlite = await SqliteStore.open(optionsOf());
  atEnd(() => sqlite.close());
  const expected = await tell(sqlite);
  for (const leastOfSet of [Number.POSITIVE_INFINITY, 1, 2]) {
    const store = await openOn(await databaseOf(temporaryFolder(), server), { leastOfSet });
    expect(await tell(store)).toEqual(expected);
  }
});
