import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import type { Lease } from '../../../src/gen/pandafuzz/v1/lease.js';
import { claimJob } from '../../../src/store/ops/scheduling/claim-job.js';
import { temporaryFolder, testContext } from '../../harness.js';
import { Fleet, only } from '../fleet.js';

/** Promises of the head of state/dispatch.ts, over a real store, with time turned by hand. */

describe('a job and a slot', () => {
  test('meet whichever comes first, and when both come at once', async () => {
    const fleet = await Fleet.open();
    const { id: waited } = await fleet.create();
    const bot = await fleet.bot(1);
    expect(only(bot.offers()).jobId).toBe(waited);

    const idle = await fleet.bot(1);
    const { id: pushed } = await fleet.create();
    await fleet.settled();
    expect(only(idle.offers()).jobId).toBe(pushed);

    for (const isJobFirst of [true, false]) {
      const botId = await fleet.register();
      const early = isJobFirst ? fleet.create() : undefined;
      const line = fleet.hello(botId, 1);
      const { id } = await (early ?? fleet.create());
      await fleet.settled();
      expect(only(line.offers()).jobId).toBe(id);
    }
  });

  test('that arrives while a claim finds nothing is not slept over', async () => {
    const fleet = await Fleet.open();
    const { id: first } = await fleet.create();
    const bot = await fleet.bot(1);
    const lease = only(bot.offers());
    bot.accept(lease);
    await fleet.settled();
    // The queue is not known to be empty: the beat's claim goes out, and the job after it.
    bot.beat(1, [lease]);
    const { id: second } = await fleet.create();
    await fleet.settled();
    expect([lease.jobId, only(bot.offers()).jobId]).toEqual([first, second]);
  });

  test('given back by one bot while the other’s claim is under way reaches the other', async () => {
    const fleet = await Fleet.open({ PANDAFUZZ_JOBS_RETRY_DELAY: '0ms' });
    const [one, other] = [await fleet.bot(1), await fleet.bot(0)];
    const { id } = await fleet.create();
    await fleet.settled();
    other.beat(1);
    one.reject(only(one.offers()));
    await fleet.settled();
    expect(only(other.offers())).toEqual({ jobId: id, attempt: 2, fence: 2 });
  });
});

describe('who waits', () => {
  test('is served in the order in which they became free, one job at a time', async () => {
    const fleet = await Fleet.open();
    const bots = [await fleet.bot(2), await fleet.bot(1), await fleet.bot(2)];
    const order: number[] = [];
    for (let i = 0; i < 5; i++) {
      await fleet.create();
      await fleet.settled();
      order.push(bots.findIndex((bot) => bot.offers().length > 0));
    }
    expect(order).toEqual([0, 1, 2, 0, 2]);
  });

  test('and is left out by a job lets the next take it, and keeps the place in the line', async () => {
    const fleet = await Fleet.open();
    const [first, second] = [await fleet.bot(1), await fleet.bot(2)];
    const notFor = (otherThanBotId: string) => ({
      requirements: { labels: {}, memoryMib: 0, diskMib: 0, otherThanBotId },
    });
    const forSecond = await fleet.create(notFor(first.botId));
    await fleet.settled();
    expect(only(second.offers()).jobId).toBe(forSecond.id);
    const waits = await fleet.create(notFor(first.botId));
    const forFirst = await fleet.create(notFor(second.botId));
    await fleet.settled();
    const held = only(first.offers());
    expect(held.jobId).toBe(forFirst.id);
    expect(only(second.offers()).jobId).toBe(waits.id);

    const { id } = await fleet.create(notFor(first.botId));
    first.accept(held);
    first.beat(1, [held]);
    await fleet.settled();
    expect(first.offers()).toEqual([]);
    const third = await fleet.bot(1);
    await fleet.settled();
    expect(only(third.offers()).jobId).toBe(id);
    const other = await fleet.create();
    await fleet.settled();
    expect(only(first.offers()).jobId).toBe(other.id);
  });

  test('on a unary call has the same place in the line', async () => {
    const fleet = await Fleet.open();
    const botId = await fleet.register();
    const pulled = fleet.pull(botId, 30_000);
    await fleet.settled();
    const bot = await fleet.bot(1);
    const [first, second] = [await fleet.create(), await fleet.create()];
    expect((await pulled)?.lease?.jobId).toBe(first.id);
    await fleet.settled();
    expect(only(bot.offers()).jobId).toBe(second.id);
  });

  test('on a unary call is told that there is none when the wait is over, and leaves the line', async () => {
    const fleet = await Fleet.open();
    const botId = await fleet.register();
    const pulled = fleet.pull(botId, 5000);
    await fleet.settled();
    await fleet.pass(4900);
    expect(await Promise.race([pulled, Promise.resolve('waits')])).toBe('waits');
    await fleet.pass(200);
    expect(await pulled).toBeUndefined();
    const { id } = await fleet.create();
    await fleet.settled();
    expect(await fleet.job(id)).toMatchObject({ state: 'PENDING', fence: 0 });
  });

  test('who left while the claim was under way gives the job back, and no attempt is charged', async () => {
    const fleet = await Fleet.open();
    const bot = await fleet.bot(1);
    const { id } = await fleet.create(); // its claim is under way as this is answered
    bot.leave();
    await fleet.settled();
    const job = await fleet.job(id);
    expect(job).toMatchObject({ state: 'PENDING', fence: 1, refusedAttempts: 0, lostAttempts: 0 });
    const next = await fleet.bot(1);
    expect(only(next.offers())).toEqual({ jobId: id, attempt: 1, fence: 2 });
  });
});

describe('a claim', () => {
  test('whose answer was lost is found on disk, and its job goes to somebody else', async () => {
    const fleet = await Fleet.open();
    const { id } = await fleet.create();
    const botId = await fleet.register();
    const input = { botId, queues: [1], ttlMs: 30_000, acknowledged: false };
    await fleet.store.run(testContext(), claimJob, { ...input, now: fleet.clock.now() });
    const bot = await fleet.bot(1);
    expect(bot.offers()).toEqual([]);
    await fleet.pass(75_000); // two looks, a TTL apart, then the time of an offer
    expect(only(bot.offers())).toEqual({ jobId: id, attempt: 1, fence: 2 });
  });

  test('that fails is tried again', async () => {
    const directory = temporaryFolder();
    const retry = { maxRetries: 0, firstDelayMs: 1, maxDelayMs: 1, multiplier: 2 };
    const fleet = await Fleet.open({}, { directory, retry });
    const { id } = await fleet.create();
    const botId = await fleet.register();
    const other = new Database(join(directory, 'pandafuzz.db'));
    other.exec('BEGIN IMMEDIATE');
    const bot = fleet.hello(botId, 1);
    await fleet.settled();
    expect(bot.take('welcome')).toHaveLength(1);
    other.exec('COMMIT');
    other.close();
    expect(bot.offers()).toEqual([]);
    await fleet.pass(1000);
    expect(only(bot.offers()).jobId).toBe(id);
  });
});

describe('a campaign’s limit', () => {
  test('counts the claims under way, however many slots are free at once', async () => {
    const fleet = await Fleet.open();
    const terms = { key: 'narrow', weight: 1, maxParallel: 2 };
    await fleet.state.campaigns.set(testContext(), terms);
    const bots = [await fleet.bot(8), await fleet.bot(8)];
    await Promise.all(Array.from({ length: 10 }, () => fleet.create({ campaign: 'narrow' })));
    await fleet.settled();
    const offers = bots.flatMap((bot) => bot.offers());
    expect(offers).toHaveLength(2);

    // Lowered, it holds back what waits and takes nothing away; raised, it lets more go at once.
    await fleet.state.campaigns.set(testContext(), { ...terms, maxParallel: 1 });
    bots[0]?.done(offers[0] as Lease);
    await fleet.settled();
    expect(bots.flatMap((bot) => bot.offers())).toEqual([]);
    await fleet.state.campaigns.set(testContext(), { ...terms, maxParallel: 4 });
    await fleet.settled();
    expect(bots.flatMap((bot) => bot.offers())).toHaveLength(3);
  });

  test('of one does not hold up another, whatever the priorities', async () => {
    const fleet = await Fleet.open();
    await fleet.state.campaigns.set(testContext(), { key: 'narrow', weight: 9, maxParallel: 1 });
    for (let i = 0; i < 3; i++) await fleet.create({ campaign: 'narrow', priority: 100 });
    const { id } = await fleet.create({ campaign: 'wide' });
    const bot = await fleet.bot(4);
    const taken = bot.offers().map(({ jobId }) => jobId);
    expect(taken).toHaveLength(2);
    expect(taken).toContain(id);
  });
});
