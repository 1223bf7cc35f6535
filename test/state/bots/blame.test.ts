import { describe, expect, test } from '@jest/globals';
import { newId } from '../../../src/core/ids.js';
import {
  AttemptEnd,
  JobOutcome,
  type JobResult,
  JobStatistics,
  StartTrouble,
} from '../../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../../src/gen/pandafuzz/v1/lease.js';
import { testContext } from '../../harness.js';
import { Fleet, type Line, only } from '../fleet.js';

/** Whose trouble it was that a run did not start, with time turned by hand. */

const { INFRASTRUCTURE, FAILED } = JobOutcome;
const { MACHINE, MISSING } = StartTrouble;

/** Takes the job, and ends it with this result. */
function ends(bot: Line, lease: Lease, result: Partial<JobResult>): void {
  bot.accept(lease);
  const whole = { outcome: INFRASTRUCTURE, message: 'it did not start', statistics: undefined };
  bot.say({ $case: 'jobDone', value: { lease, result: { ...whole, ...result } } });
}

const lacks = (name: string) => ({ trouble: MISSING, cause: `library ${name}`, message: name });

/** A beat of a run that has executed inputs. */
function fuzzes(bot: Line, sequence: number, lease: Lease): void {
  const statistics = JobStatistics.create({ executions: 7 });
  const leases = [{ lease, phase: 2, statistics }];
  const value = { sequence, freeSlots: 0, resources: undefined, leases };
  bot.say({ $case: 'beat', value });
}

const explained = async (fleet: Fleet, jobId: string) =>
  (await fleet.state.explain.job(testContext(), jobId)).reasons;
const explainedBot = async (fleet: Fleet, botId: string) =>
  (await fleet.state.explain.bot(testContext(), botId)).reasons;
const shown = (fleet: Fleet, botId: string) => fleet.state.bots.get(testContext(), botId);

describe('a start that fails by trouble of its bot', () => {
  test('costs no attempt: ten short jobs beside a bad bot complete on the good one', async () => {
    const fleet = await Fleet.open();
    const [bad, good] = [await fleet.bot(1), await fleet.bot(1)];
    const jobs = [];
    for (let i = 0; i < 10; i++) jobs.push((await fleet.create({ maxAttempts: 1 })).id);
    const tried = new Set<string>();
    let [failures, running, leftMs] = [0, undefined as Lease | undefined, 0];
    for (let ms = 0; ms < 120_000; ms += 500) {
      await fleet.pass(500);
      for (const lease of bad.offers()) {
        expect(tried.has(lease.jobId)).toBe(false); // it never comes back while another takes it
        tried.add(lease.jobId);
        failures++;
        ends(bad, lease, { trouble: MACHINE });
        await fleet.settled();
        bad.beat(1);
      }
      for (const lease of good.offers()) [running, leftMs] = [lease, 4000];
      leftMs -= 500;
      if (running && leftMs <= 0) {
        good.accept(running);
        good.done(running);
        running = undefined;
        await fleet.settled();
        good.beat(1);
      } else good.beat(0, running ? [running] : []);
    }
    for (const id of jobs) {
      const job = await fleet.job(id);
      expect(job).toMatchObject({ state: 'COMPLETED', failedAttempts: 0, refusedAttempts: 0 });
      expect(job.botId).toBe(good.botId);
    }
    // 1 + 2 + 4 + 8 + 16 s: it is held back longer each time.
    expect(failures).toBeGreaterThanOrEqual(3);
    expect(failures).toBeLessThanOrEqual(7);
  });

  test('leads to another bot, as soon as one is free, and the reason is told', async () => {
    const fleet = await Fleet.open();
    const [bad, busy] = [await fleet.bot(1, { name: 'bad' }), await fleet.bot(0)];
    const { id } = await fleet.create();
    await fleet.settled();
    ends(bad, only(bad.offers()), { ...lacks('libx.so'), message: 'libx.so is missing' });
    await fleet.settled();
    bad.beat(1);
    await fleet.pass(60_000);
    expect(bad.offers()).toEqual([]);
    const reasons = await explained(fleet, id);
    expect(reasons[0]).toMatch(/^bot bad could not start it: libx\.so is missing; /);
    expect(reasons).toContain('1 of 2 bots online: the bot could not start it');
    expect(reasons).toContain('1 of 2 bots online: the bot has no free slot');
    expect((await explainedBot(fleet, bad.botId))[0]).toMatch(
      /its last start failed: libx\.so is missing/,
    );
    busy.beat(1);
    await fleet.settled();
    expect(only(busy.offers())).toMatchObject({ jobId: id, attempt: 1, fence: 2 });
  });

  test('waits where there is no other bot, and is tried there again ever more seldom', async () => {
    const fleet = await Fleet.open();
    const bot = await fleet.bot(1);
    const { id } = await fleet.create({ maxAttempts: 1 });
    await fleet.settled();
    const tries: number[] = [];
    for (let ms = 0; ms < 600_000; ms += 500) {
      for (const lease of bot.offers()) {
        tries.push(ms / 1000);
        ends(bot, lease, { trouble: MACHINE });
        await fleet.settled();
      }
      bot.beat(1);
      await fleet.pass(500);
    }
    const pauses = tries.slice(1).map((at, i) => at - (tries[i] as number));
    expect(pauses.length).toBeGreaterThanOrEqual(5);
    expect(pauses.length).toBeLessThanOrEqual(8);
    for (const [i, pause] of pauses.entries()) expect(pause).toBeGreaterThanOrEqual(5 * 2 ** i);
    const job = await fleet.job(id);
    expect(job).toMatchObject({ state: 'PENDING', failedAttempts: 0 });
    expect(await explained(fleet, id)).toContain('1 of 1 bots online: the bot could not start it');
  });

  test('does not hold up other jobs behind it', async () => {
    const fleet = await Fleet.open();
    const bot = await fleet.bot(1);
    await fleet.create({ priority: 5 });
    const { id: other } = await fleet.create();
    await fleet.settled();
    ends(bot, only(bot.offers()), lacks('libx.so'));
    await fleet.settled();
    bot.beat(1);
    await fleet.pass(1500);
    const lease = only(bot.offers());
    expect(lease.jobId).toBe(other);
    ends(bot, lease, { outcome: JobOutcome.COMPLETED });
    await fleet.settled();
    expect(await shown(fleet, bot.botId)).toMatchObject({ failedStarts: 0, heldUntil: undefined });
  });

  test('is seen by the refusal of an offer as well', async () => {
    const fleet = await Fleet.open();
    const [bad, good] = [await fleet.bot(1), await fleet.bot(0)];
    const { id } = await fleet.create({ maxAttempts: 1 });
    await fleet.settled();
    const value = { lease: only(bad.offers()), reason: 'no such engine', trouble: MACHINE };
    bad.say({ $case: 'leaseReject', value });
    await fleet.settled();
    good.beat(1);
    await fleet.settled();
    expect(only(good.offers())).toMatchObject({ jobId: id, attempt: 1 });
    expect((await fleet.job(id)).attempts[1]).toMatchObject({
      end: AttemptEnd.INFRASTRUCTURE,
      trouble: MACHINE,
    });
  });
});

describe('a target is to blame', () => {
  test('when two bots lack the same, and the words of both are kept', async () => {
    const fleet = await Fleet.open();
    const bots = [await fleet.bot(1, { name: 'one' }), await fleet.bot(1, { name: 'two' })];
    const { id } = await fleet.create({ maxAttempts: 5 });
    await fleet.settled();
    for (const bot of bots) {
      ends(bot, only(bot.offers()), { ...lacks('libx.so'), message: `libx.so, says ${bot.botId}` });
      await fleet.settled();
    }
    const job = await fleet.job(id);
    expect(job).toMatchObject({ state: 'DEAD', failedAttempts: 1, lostAttempts: 1 });
    expect(job.result).toMatchObject({ outcome: FAILED, final: true });
    expect(job.result?.message.split('\n')).toEqual([
      'the target cannot be started: two bots lack the same (library libx.so)',
      `one: libx.so, says ${bots[0]?.botId}`,
      `two: libx.so, says ${bots[1]?.botId}`,
    ]);
    // The second is not held back: it was not its trouble.
    expect(await shown(fleet, bots[1]?.botId ?? '')).toMatchObject({ failedStarts: 0 });
  });

  test.each([
    ['they lack different things', lacks('liba.so'), lacks('libb.so')],
    ['it is trouble of the machines', { trouble: MACHINE }, { trouble: MACHINE }],
  ])('not when %s', async (_what, first, second) => {
    const fleet = await Fleet.open();
    const bots = [await fleet.bot(1), await fleet.bot(1)] as const;
    const { id } = await fleet.create({ maxAttempts: 1 });
    await fleet.settled();
    ends(bots[0], only(bots[0].offers()), first);
    await fleet.settled();
    ends(bots[1], only(bots[1].offers()), second);
    await fleet.settled();
    expect(await fleet.job(id)).toMatchObject({ state: 'PENDING', failedAttempts: 0 });
  });

  test('not when its build runs on a third', async () => {
    const fleet = await Fleet.open();
    const good = await fleet.bot(1);
    await fleet.create();
    await fleet.settled();
    const lease = only(good.offers());
    good.accept(lease);
    fuzzes(good, 1, lease);
    const bots = [await fleet.bot(1), await fleet.bot(1)];
    const { id } = await fleet.create({ maxAttempts: 1 });
    await fleet.settled();
    for (const bot of bots) {
      ends(bot, only(bot.offers()), lacks('libx.so'));
      await fleet.settled();
    }
    expect(await fleet.job(id)).toMatchObject({ state: 'PENDING', failedAttempts: 0 });
  });

  test('at once, by a failure that is certain; a retry gives it all its attempts again', async () => {
    const fleet = await Fleet.open();
    const bot = await fleet.bot(1);
    const { id } = await fleet.create({ maxAttempts: 5 });
    await fleet.settled();
    ends(bot, only(bot.offers()), { outcome: FAILED, final: true, message: 'no fuzzer' });
    await fleet.settled();
    const job = await fleet.job(id);
    expect(job).toMatchObject({ state: 'DEAD', failedAttempts: 1 });
    expect(job.result).toMatchObject({ outcome: FAILED, message: 'no fuzzer', final: true });
    expect(job.attempts).toMatchObject([{ end: AttemptEnd.FAILED, final: true }]);
    await fleet.state.jobs.retry(testContext(), id);
    bot.beat(1);
    await fleet.settled();
    ends(bot, only(bot.offers()), { outcome: FAILED });
    await fleet.settled();
    expect(await fleet.job(id)).toMatchObject({ state: 'PENDING', failedAttempts: 1 });
  });
});

describe('a bot that is held back', () => {
  test('tries again with one job at a time, until a start succeeds', async () => {
    const fleet = await Fleet.open();
    const bot = await fleet.bot(3);
    await Promise.all(Array.from({ length: 8 }, () => fleet.create()));
    await fleet.settled();
    for (const lease of bot.offers()) ends(bot, lease, { trouble: MACHINE });
    await fleet.settled();
    bot.beat(3);
    const { heldUntil, failedStarts } = await shown(fleet, bot.botId);
    expect(failedStarts).toBe(3);
    expect(Number(heldUntil) - fleet.clock.now()).toBe(4000);
    await fleet.pass(4500);
    const trial = only(bot.offers());
    bot.accept(trial);
    const { heldUntil: held, failedStarts: still } = await shown(fleet, bot.botId);
    expect({ held, still }).toEqual({ held: undefined, still: 3 });
    expect((await explainedBot(fleet, bot.botId))[0]).toMatch(/^it gets one job at a time/);
    const statistics = JobStatistics.create({ executions: 1 });
    const leases = [{ lease: trial, phase: 2, statistics }];
    const value = { sequence: 2, freeSlots: 2, resources: undefined, leases };
    bot.say({ $case: 'beat', value });
    await fleet.settled();
    expect(bot.offers()).toHaveLength(2);
    expect(await shown(fleet, bot.botId)).toMatchObject({ failedStarts: 0, heldWhy: '' });
  });

  test('is so after a restart of the master, and not after its own', async () => {
    const fleet = await Fleet.open();
    const bot = await fleet.bot(1);
    const { id } = await fleet.create();
    await fleet.settled();
    for (let ms = 0; ms < 30_000; ms += 500) {
      for (const lease of bot.offers()) ends(bot, lease, { trouble: MACHINE });
      await fleet.settled();
      bot.beat(1);
      await fleet.pass(500);
    }
    const { failedStarts } = await shown(fleet, bot.botId);
    expect(failedStarts).toBeGreaterThanOrEqual(3);
    bot.leave();
    await fleet.state.stop();
    await fleet.start();
    expect((await shown(fleet, bot.botId)).failedStarts).toBe(failedStarts);
    const back = fleet.hello(bot.botId, 1);
    await fleet.settled();
    expect(back.offers()).toEqual([]); // the same process, as far as the master knows
    back.leave();
    const restarted = fleet.hello(bot.botId, 1, [], fleet.state.sessionParts, newId());
    await fleet.settled();
    expect(only(restarted.offers()).jobId).toBe(id);
  });

  test('gets its jobs back as soon as it says that it is well again', async () => {
    const fleet = await Fleet.open();
    const bot = await fleet.bot(1);
    const { id } = await fleet.create();
    await fleet.settled();
    ends(bot, only(bot.offers()), { trouble: MACHINE });
    await fleet.settled();
    const beat = (sequence: number, freeSlots: number, problem: string) => {
      const health = { problem, warnings: [] };
      const value = { sequence, freeSlots, resources: undefined, leases: [], health };
      bot.say({ $case: 'beat', value });
    };
    beat(1, 0, 'mounted noexec');
    expect(await shown(fleet, bot.botId)).toMatchObject({ health: { problem: 'mounted noexec' } });
    expect(await explainedBot(fleet, bot.botId)).toEqual([
      'it takes no jobs until it is well: mounted noexec',
    ]);
    expect(await explained(fleet, id)).toContain(
      '1 of 1 bots online: the bot says that it cannot run jobs',
    );
    await fleet.pass(60_000);
    expect(bot.offers()).toEqual([]);
    beat(2, 1, '');
    await fleet.settled();
    expect(only(bot.offers()).jobId).toBe(id);
  });
});
