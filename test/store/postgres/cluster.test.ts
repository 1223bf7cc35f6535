import { beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '../../../src/core/ids.js';
import type { ClusterOptions } from '../../../src/store/cluster.js';
import { enterBot, leaveBot } from '../../../src/store/ops/bots/enter-bot.js';
import { lookAtBot } from '../../../src/store/ops/bots/look-at-bot.js';
import { completeJob } from '../../../src/store/ops/jobs/complete-job.js';
import { createJob } from '../../../src/store/ops/jobs/create-job.js';
import { getJob } from '../../../src/store/ops/jobs/get-job.js';
import { acknowledgeLease } from '../../../src/store/ops/leases/acknowledge-lease.js';
import { listLeases } from '../../../src/store/ops/leases/list-leases.js';
import { releaseLease } from '../../../src/store/ops/leases/release-lease.js';
import { takeOver } from '../../../src/store/ops/leases/take-over.js';
import { claimJob } from '../../../src/store/ops/scheduling/claim-job.js';
import { readCounters } from '../../../src/store/ops/upkeep/read-counters.js';
import { beginTurn } from '../../../src/store/postgres/cluster/turn.js';
import { Session } from '../../../src/store/postgres/session.js';
import type { PostgresStore } from '../../../src/store/postgres/store.js';
import type { ClaimedJob } from '../../../src/store/rows.js';
import { atEnd, shared, temporaryFolder, testContext } from '../../harness.js';
import { databaseOf, ownServer } from '../../postgres/databases.js';
import { type PostgresServer, sqlAt } from '../../postgres/server.js';
import { openOn } from '../../postgres/store-on.js';
import { given } from '../../steps.js';
import {
  claimInput,
  completeInput,
  jobInput,
  noPause,
  tick,
  withBot,
  withTarget,
} from '../inputs.js';

/** The rules that keep masters of one database apart: each test forces the moment of one. */

let server: PostgresServer;
beforeAll(async () => {
  server = await shared(ownServer);
});

const emptyDatabase = () => databaseOf(temporaryFolder(), server.adminUrl);

let members = 0;
const memberOn = (url: string) => {
  const address = `127.0.0.1:${++members}`;
  const cluster = { address, ttlMs: 60_000, allowLostWrites: true, version: '1' };
  return openOn(url, { cluster });
};

const idOf = (store: PostgresStore): number => given(store.cluster).id;

/** Two masters, and a job that a bot runs under a lease of the first. */
async function twoMasters() {
  const url = await emptyDatabase();
  const a = await memberOn(url);
  const b = await memberOn(url);
  await withTarget(a);
  const botId = await withBot(a);
  await a.run(testContext(), createJob, jobInput());
  const lease = given(await a.run(testContext(), claimJob, claimInput(botId)));
  return { url, a, b, botId, lease };
}

const enterAt = (store: PostgresStore, botId: string, stream: number, instanceId = 'process') =>
  store.run(testContext(), enterBot, {
    ...{ botId, instanceId, stream, master: idOf(store), liveSince: 0, now: tick() },
  });

const release = (store: PostgresStore, { id, fence }: ClaimedJob, master: number | undefined) =>
  store.run(testContext(), releaseLease, {
    ...{ jobId: id, fence, master, outcome: 'lost' as const, message: 'late', statistics: null },
    ...{ now: tick(), ...noPause },
  });

const stateOf = async (store: PostgresStore, { id }: ClaimedJob) =>
  (await store.run(testContext(), getJob, id))?.state;

/** Declares a master dead, as another one does that has not seen it for the TTL. */
const bury = (url: string, store: PostgresStore) =>
  sqlAt(url, `DELETE FROM masters WHERE id = ${idOf(store)}`);

describe('a lease that another master has by now', () => {
  test('outlives the late expiry of its former master', async () => {
    const { a, b, botId, lease } = await twoMasters();
    const before = idOf(a);
    expect((await enterAt(b, botId, 2)).leases).toMatchObject([{ job_id: lease.id }]);
    expect(await release(a, lease, before)).toBeUndefined();
    expect(await stateOf(a, lease)).toBe('running');
    // Without the rule, the master in the condition, the run would be given to another bot.
    expect(await release(a, lease, undefined)).toMatchObject({ state: 'pending' });
  });

  test('is ended by a result that comes to its former master: once', async () => {
    const { a, b, botId, lease } = await twoMasters();
    await enterAt(b, botId, 1);
    const done = { ...completeInput(lease as never), botId };
    expect(await a.run(testContext(), completeJob, done)).toMatchObject({ state: 'completed' });
    expect(await release(b, lease, idOf(b))).toBeUndefined();
    expect(await stateOf(b, lease)).toBe('completed');
  });

  test('is watched by that one alone', async () => {
    const { a, b, botId } = await twoMasters();
    await enterAt(b, botId, 1);
    const page = { afterJobId: '', limit: 10 };
    const of = (store: PostgresStore) =>
      store.run(testContext(), listLeases, { ...page, master: idOf(store) });
    expect([await of(a), await of(b)]).toMatchObject([[], [{}]]);
  });
});

describe('a Hello', () => {
  test('that a master runs late takes nothing from the next stream of the same process', async () => {
    const { a, b, botId, lease } = await twoMasters();
    await enterAt(a, botId, 1);
    await enterAt(b, botId, 3);
    expect(await enterAt(a, botId, 2)).toEqual({ as: 'late', leases: [] });
    expect(await release(a, lease, idOf(a))).toBeUndefined();
    const now = await a.run(testContext(), lookAtBot, botId);
    expect(now?.master).toBe(idOf(b));
    // One without a number, of an older bot, is taken for the newest.
    expect(await enterAt(a, botId, 0)).toMatchObject({ as: 'taken' });
  });

  test('of a second process is refused while the first is seen at another master', async () => {
    const { a, b, botId } = await twoMasters();
    await enterAt(a, botId, 1, 'first');
    expect(await enterAt(b, botId, 1, 'second')).toMatchObject({ as: 'rival' });
    const gone = { botId, instanceId: 'first', stream: 1, master: idOf(a) };
    await a.run(testContext(), leaveBot, gone);
    expect(await enterAt(b, botId, 1, 'second')).toMatchObject({ as: 'taken' });
  });

  test('is not undone by the end of the stream before it', async () => {
    const { a, b, botId } = await twoMasters();
    await enterAt(a, botId, 1);
    await enterAt(b, botId, 2);
    const late = { botId, instanceId: 'process', stream: 1, master: idOf(a) };
    await a.run(testContext(), leaveBot, late);
    expect(await a.run(testContext(), lookAtBot, botId)).toMatchObject({ master: idOf(b) });
  });
});

describe('a takeover', () => {
  test('takes the leases of the dead, and their late expiries take none back', async () => {
    const { url, a, b, lease } = await twoMasters();
    const dead = idOf(a);
    await bury(url, a);
    const rows = await b.run(testContext(), takeOver, { master: idOf(b) });
    expect(rows).toMatchObject([{ job_id: lease.id, fence: lease.fence }]);
    expect(await release(a, lease, dead)).toBeUndefined();
    expect(await stateOf(b, lease)).toBe('running');
  });

  test('takes nothing of the living, nor of one that has just started', async () => {
    const { url, a, b, botId } = await twoMasters();
    const c = await memberOn(url);
    await c.run(testContext(), createJob, jobInput());
    const own = given(await c.run(testContext(), claimJob, claimInput(botId)));
    await bury(url, a);
    const rows = await b.run(testContext(), takeOver, { master: idOf(b) });
    expect(rows.map(({ job_id }) => job_id)).not.toContain(own.id);
    expect(await release(c, own, idOf(c))).toMatchObject({ state: 'pending' });
    // Of nobody who is gone, nothing is read.
    expect(await c.run(testContext(), takeOver, { master: idOf(c) })).toEqual([]);
  });
});

describe('groups of writes of two masters', () => {
  test('keep the counts of both, and hand out each job once', async () => {
    const url = await emptyDatabase();
    const [a, b] = [await memberOn(url), await memberOn(url)];
    await withTarget(a);
    const bots = [await withBot(a, 'one'), await withBot(b, 'two')];
    const both = (index: number) => (index % 2 === 0 ? a : b);
    const jobs = Array.from({ length: 100 }, () => jobInput());
    await Promise.all(jobs.map((job, index) => both(index).run(testContext(), createJob, job)));
    const claims = await Promise.all(
      jobs.map((_, index) =>
        both(index).run(testContext(), claimJob, claimInput(bots[index % 2] as string, false)),
      ),
    );
    const ids = claims.map((claim) => given(claim).id);
    expect(new Set(ids).size).toBe(100);
    await Promise.all(
      claims.map((claim, index) => {
        const { id: jobId, attempt, fence } = given(claim);
        const lease = { jobId, attempt, fence, botId: bots[index % 2] as string, now: tick() };
        // Through the other one.
        return both(index + 1).run(testContext(), acknowledgeLease, lease);
      }),
    );
    const counters = await a.run(testContext(), readCounters, null);
    expect(counters).toMatchObject({ 'jobs.pending': 0, 'jobs.running': 100, 'jobs.assigned': 0 });
  });
});

describe('a master is refused, in words,', () => {
  const terms = (more: Partial<ClusterOptions> = {}): ClusterOptions => ({
    ...{ address: `127.0.0.1:${++members}`, ttlMs: 60_000, allowLostWrites: true, version: '1' },
    ...more,
  });
  let url: string;
  beforeAll(async () => {
    url = await shared(emptyDatabase);
  });

  test('with the address of another one; and as another version', async () => {
    const cluster = terms();
    await openOn(url, { cluster });
    await expect(openOn(url, { cluster })).rejects.toThrow(
      /^cluster\.address: another master has this address \(process \d+ on .+\): give this one its own/,
    );
    await expect(openOn(url, { cluster: terms({ version: '2' }) })).rejects.toThrow(
      /^cluster\.address: the master at 127\.0\.0\.1:\d+ is PandaFuzz 1, and this one is 2: run one version/,
    );
  });

  test('where the database has no synchronous standby, unless that is taken', async () => {
    await expect(openOn(url, { cluster: terms({ allowLostWrites: false }) })).rejects.toThrow(
      /^cluster\.address: the database has no synchronous standby .* cluster\.allow_lost_writes: true/,
    );
  });

  test('alone, while a cluster has the database; and the other way round', async () => {
    const cluster = terms();
    const member = await openOn(url, { cluster });
    await expect(openOn(url)).rejects.toThrow(
      /^database\.url: the database belongs to a cluster \(127\.0\.0\.1:\d+\): give this master a cluster\.address/,
    );
    await member.close();
    await openOn(url);
    await expect(openOn(url, { cluster })).rejects.toThrow(
      /^database\.url: the database belongs to another master \(.+\), which has no cluster\.address/,
    );
  });
});

test('a limit of a campaign holds for what all masters give out', async () => {
  const { a, b, botId } = await twoMasters();
  await b.run(testContext(), createJob, jobInput());
  const limit = { campaign: '', most: 1 };
  const claim = (store: PostgresStore, most: number) =>
    store.run(testContext(), claimJob, { ...claimInput(botId), limit: { ...limit, most } });
  expect(await claim(b, 1)).toBeUndefined();
  expect(await claim(a, 2)).toBeDefined();
});

/** A log as events and signals are, and a reader that goes on behind the last number it saw. */
async function logOn(url: string) {
  await sqlAt(url, 'CREATE TABLE log (sequence bigint GENERATED ALWAYS AS IDENTITY, word text)');
  const open = async () => {
    const session = await Session.open({ url, synchronous: 'full', name: 'log' });
    atEnd(() => session.close());
    return session;
  };
  const [first, second, reader] = [await open(), await open(), await open()];
  let cursor = 0;
  const read = async () => {
    const { rows } = await reader.query({
      text: 'SELECT sequence, word FROM log WHERE sequence > $1 ORDER BY sequence',
      values: [cursor],
    });
    const found = rows as { sequence: number; word: string }[];
    cursor = found.at(-1)?.sequence ?? cursor;
    return found.map(({ word }) => word);
  };
  const write = (session: Session, word: string) =>
    session.query({ text: 'INSERT INTO log (word) VALUES ($1)', values: [word] });
  return { first, second, read, write };
}

describe('a reader of the log', () => {
  test('loses what groups that run beside each other commit out of order', async () => {
    const { first, second, read, write } = await logOn(await emptyDatabase());
    await first.query({ text: 'BEGIN' });
    await write(first, 'early');
    await write(second, 'late');
    expect(await read()).toEqual(['late']);
    await first.query({ text: 'COMMIT' });
    expect(await read()).toEqual([]); // "early" is there, and never read
  });

  test('loses nothing of groups that take turns', async () => {
    const { first, second, read, write } = await logOn(await emptyDatabase());
    const begin = async (session: Session, id: number) => {
      await session.query({ text: 'BEGIN' });
      for (const query of beginTurn({ id, shard: id })) await session.query(query);
    };
    await begin(first, 1);
    await write(first, 'early');
    const waiting = begin(second, 2).then(() => write(second, 'late'));
    expect(await read()).toEqual([]);
    await first.query({ text: 'COMMIT' });
    await waiting;
    await second.query({ text: 'COMMIT' });
    expect(await read()).toEqual(['early', 'late']);
  });
});

test('ids of masters are new with each start', async () => {
  const url = await emptyDatabase();
  const cluster = {
    address: newId().slice(0, 8),
    ttlMs: 60_000,
    allowLostWrites: true,
    version: '1',
  };
  const first = await openOn(url, { cluster });
  const before = idOf(first);
  await first.close();
  const again = await openOn(url, { cluster });
  expect(idOf(again)).toBeGreaterThan(before);
});
