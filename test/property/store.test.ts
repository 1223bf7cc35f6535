import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { CrashGroupRow } from '../../src/store/crash-rows.js';
import type { JobRow, LeaseRow } from '../../src/store/rows.js';
import { atEnd, temporaryFolder } from '../harness.js';
import { botInput, claimInput, crashInput, jobInput, noPause, target } from '../store/inputs.js';
import { type Answer, type Lease, Model, type Outcome, type Return } from './model.js';
import { forAtMost, replaying, stories, storiesLimitMs } from './replaying.js';
import { StoreClient } from './store-client.js';

/**
 * Random stories of operations, told to the real store and to a plain model of
 * it: after each operation both have answered alike, and after each reopening,
 * regular or by kill, the store shows what the model does.
 */

interface Step {
  /** What to tell the store, and the model's answer to it. */
  readonly operation: string;
  input(model: Model): object | string;
  expected(model: Model): Answer;
}

const bots = ['bot-0', 'bot-1'];

const nextJob = (model: Model) => `job-${String(Object.keys(model.jobs).length).padStart(5, '0')}`;

/** One of the leases ever handed out, valid or not; or one that never was. */
function leaseAt(model: Model, pick: number): Lease {
  const keys = Object.keys(model.attempts);
  if (keys.length === 0) return { id: 'job-none', attempt: 1, fence: 1 };
  // Rather a late one than an early one: those are the ones that matter.
  const key = keys[Math.max(keys.length - 1 - (pick % 5), 0)] as string;
  const [id, fence] = key.split('/') as [string, string];
  const attempt = model.attempts[key]?.attempt ?? 1;
  return { id, fence: Number(fence), attempt: pick % 17 === 16 ? attempt + 1 : attempt };
}

function jobAt(model: Model, pick: number): string {
  const ids = Object.keys(model.jobs);
  return ids[ids.length - 1 - (pick % 5)] ?? 'job-none';
}

const pick = fc.nat(50);
const bot = fc.constantFrom(...bots);
const outcome = fc.constantFrom<Outcome>('completed', 'failed', 'cancelled', 'infrastructure');
const back = fc.constantFrom<Return>('rejected', 'unanswered', 'lost');

const create = fc
  .record({
    requestId: fc.option(fc.constantFrom('r1', 'r2'), { freq: 2 }),
    name: fc.constantFrom('', 'x'),
    priority: fc.integer({ min: -1, max: 1 }),
    maxAttempts: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ requestId, ...spec }): Step => {
    return {
      operation: 'create_job',
      input: (model) => jobInput({ id: nextJob(model), requestId, ...spec }),
      expected: (model) => model.create(nextJob(model), requestId, spec),
    };
  });

const claim = fc.tuple(bot, fc.boolean()).map(
  ([botId, acknowledged]): Step => ({
    operation: 'claim_job',
    input: () => claimInput(botId, acknowledged),
    expected: (model) => model.claim(botId, acknowledged),
  }),
);

const onLease = (
  operation: string,
  at: number,
  more: object,
  expected: (model: Model, lease: Lease) => Answer,
): Step => ({
  operation,
  input: (model) => {
    const { id: jobId, attempt, fence } = leaseAt(model, at);
    return { jobId, attempt, fence, now: 5, ...more };
  },
  expected: (model) => expected(model, leaseAt(model, at)),
});

const acknowledge = fc
  .tuple(pick, bot)
  .map(([at, botId]) =>
    onLease('acknowledge_lease', at, { botId }, (model, lease) => model.acknowledge(lease, botId)),
  );

const complete = fc
  .tuple(pick, outcome, fc.constantFrom('m', 'n'))
  .map(([at, result, message]) =>
    onLease(
      'complete_job',
      at,
      { outcome: result, message, statistics: '{}', ...noPause },
      (model, lease) => model.complete(lease, result, message),
    ),
  );

const release = fc
  .tuple(pick, back)
  .map(([at, how]) =>
    onLease(
      'release_lease',
      at,
      { outcome: how, message: '', statistics: null, ...noPause },
      (model, lease) => model.release(lease, how),
    ),
  );

const cancel = pick.map(
  (at): Step => ({
    operation: 'request_cancel',
    input: (model) => ({ jobId: jobAt(model, at), now: 6 }),
    expected: (model) => model.cancel(jobAt(model, at)),
  }),
);

const crash = fc.tuple(pick, fc.constantFrom('1', '2'), fc.constantFrom('s', 't')).map(
  ([at, input, signature]): Step => ({
    operation: 'record_crash',
    input: (model) => crashInput(leaseAt(model, at), input, signature),
    expected: (model) => model.crash(leaseAt(model, at), input, signature),
  }),
);

const step = fc.oneof(
  { weight: 4, arbitrary: create },
  { weight: 5, arbitrary: claim },
  { weight: 2, arbitrary: acknowledge },
  { weight: 4, arbitrary: complete },
  { weight: 2, arbitrary: release },
  { weight: 2, arbitrary: cancel },
  { weight: 3, arbitrary: crash },
);

/** What comes between two parts of a story. */
const interruption = fc.oneof(
  fc.constant({ kind: 'reopen' } as const),
  fc.constant({ kind: 'kill' } as const),
  step.map((during) => ({ kind: 'kill during', during }) as const),
);

const story = fc.array(fc.tuple(fc.array(step, { minLength: 5, maxLength: 60 }), interruption), {
  minLength: 1,
  maxLength: 3,
});

async function answered(store: StoreClient, model: Model, next: Step): Promise<void> {
  const input = next.input(model);
  const expected = next.expected(model);
  const actual = await store.run(next.operation, input);
  const about = { operation: next.operation, input };
  if ('fails' in expected) expect({ ...about, ...actual }).toMatchObject({ ...about, ...expected });
  else if (expected.ok === null) expect({ ...about, ...actual }).toEqual({ ...about, ok: null });
  else expect({ ...about, ...actual }).toMatchObject({ ...about, ...expected });
}

async function view(store: StoreClient) {
  const read = async <Row>(operation: string, input: unknown): Promise<Row> => {
    const told = await store.run(operation, input);
    if ('fails' in told) throw new Error(`${operation}: ${told.message}`);
    return told.ok as Row;
  };
  const jobs: JobRow[] = [];
  // Pages of seven, so that what lies between two of them is looked at too.
  for (let beforeId = 'z'; ; beforeId = jobs.at(-1)?.id as string) {
    const page = await read<JobRow[]>('list_jobs', { beforeId, limit: 7 });
    jobs.push(...page);
    if (page.length < 7) break;
  }
  const leases = await read<LeaseRow[]>('list_leases', { afterJobId: '', limit: 1000 });
  const page = { beforeId: 'z', limit: 10, filter: {} };
  const { groups } = await read<{ groups: CrashGroupRow[] }>('list_crash_groups', page);
  return {
    jobs: jobs.map((job) => ({
      id: job.id,
      state: job.state,
      attempt: job.attempt,
      failed: job.failed_attempts + job.refused_attempts,
      fence: job.fence,
      bot: job.bot_id,
      outcome: job.outcome,
      cancelRequested: job.cancel_requested_at !== null,
    })),
    leases: leases.map(({ job_id, fence, bot_id }) => ({ job: job_id, fence, bot: bot_id })),
    groups: groups.map(({ count }) => count).sort((a, b) => a - b),
    counters: await read<object>('read_counters', null),
  };
}

const copyOf = (model: Model): Model => Object.assign(new Model(), structuredClone(model));

test('the store does what a plain model of it does, also across reopening and kills', async () => {
  let live: StoreClient | undefined;
  atEnd(() => live?.kill());
  await fc.assert(
    fc.asyncProperty(
      story,
      forAtMost(storiesLimitMs, async (parts) => {
        const store = new StoreClient(temporaryFolder());
        await live?.kill();
        live = store;
        await store.open();
        await store.run('put_artifact', target);
        for (const id of bots) await store.run('register_bot', botInput(id, id));
        let model = new Model();
        for (const [steps, interrupted] of parts) {
          for (const next of steps) await answered(store, model, next);
          const possible = [model];
          if (interrupted.kind === 'reopen') await store.close();
          if (interrupted.kind === 'kill during') {
            const after = copyOf(model);
            const { operation, ...next } = interrupted.during;
            const input = next.input(model);
            next.expected(after);
            possible.push(after);
            store.begin(operation, input);
          }
          if (interrupted.kind !== 'reopen') await store.kill();
          await store.open();
          const found = await view(store);
          // What was under way at the kill has happened as a whole, or not at all.
          model = possible.find((one) => isSame(one.view(), found)) ?? model;
          expect(found).toEqual(model.view());
        }
      }),
    ),
    { ...replaying(), numRuns: stories },
  );
});

/** As `toEqual` has it: what came from another process is of other classes. */
function isSame(a: object, b: object): boolean {
  try {
    expect(a).toEqual(b);
    return true;
  } catch {
    return false;
  }
}
