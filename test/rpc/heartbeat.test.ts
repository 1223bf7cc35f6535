import { status as Code } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { newId } from '../../src/core/ids.js';
import { BotState } from '../../src/gen/pandafuzz/v1/bot.js';
import { JobOutcome, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { ScriptedBot } from '../scripted-bot.js';
import { createJob, given, jobIn, registerBot } from '../steps.js';

const job = async ({ jobs }: Connection, jobId: string) =>
  given((await unary(jobs, jobs.getJob, { jobId })).job);

const cancel = async ({ jobs }: Connection, jobId: string) =>
  given((await unary(jobs, jobs.cancelJob, { jobId })).job);

async function onLine(connection: Connection, name = 'bot') {
  const { id } = await registerBot(connection, name);
  return { id, bot: new ScriptedBot(connection, id) };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Beats until the condition holds; each beat is an event of its own. */
async function beatUntil(bot: ScriptedBot, holds: () => Promise<boolean>, slots = 0) {
  while (!(await holds())) await bot.beat(slots);
}

describe('a heartbeat stream', () => {
  test('opens with Hello, and with nothing else', async () => {
    const { connection } = await runMasterFor();
    const { bot } = await onLine(connection);
    const lease = { jobId: newId(), attempt: 1, fence: 1 };
    bot.say({ $case: 'leaseAck', value: { lease } });
    expect(await bot.failure()).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: 'message: the first message of a stream must be Hello',
    });
  });

  test('is refused to a bot that never registered', async () => {
    const { connection } = await runMasterFor();
    const bot = new ScriptedBot(connection, newId());
    await expect(bot.hello(1)).rejects.toThrow(/NOT_FOUND/);
    expect((await bot.failure())?.message).toBe('there is no such bot');
  });

  test('makes its bot online, and offline when it ends', async () => {
    const { connection } = await runMasterFor();
    const { id, bot } = await onLine(connection);
    const welcome = await bot.hello(1);
    expect(welcome).toMatchObject({ heartbeatIntervalMs: 5000, leaseTtlMs: 30_000 });
    const state = async () =>
      (await unary(connection.bots, connection.bots.getBot, { botId: id })).bot?.state;
    expect(await state()).toBe(BotState.ONLINE);
    const lastSeenAt = async () =>
      Number((await unary(connection.bots, connection.bots.getBot, { botId: id })).bot?.lastSeenAt);
    const cameAt = await lastSeenAt();
    await beatUntil(bot, async () => (await lastSeenAt()) > cameAt, 1);
    const beatAt = await lastSeenAt();
    bot.leave();
    while ((await state()) === BotState.ONLINE);
    expect(await state()).toBe(BotState.OFFLINE);
    expect(await lastSeenAt()).toBeGreaterThanOrEqual(beatAt);
  });

  test('of the same bot ends the earlier one with ABORTED', async () => {
    const { connection } = await runMasterFor();
    const { id, bot: older } = await onLine(connection);
    await older.hello(0);
    const newer = new ScriptedBot(connection, id);
    await newer.hello(0);
    expect(await older.failure()).toMatchObject({
      code: Code.ABORTED,
      message: 'a newer stream of this bot took over',
    });
    expect((await newer.beat(0)).sequence).toBe(1);
  });

  test('that is broken off in the middle of its Hello leaves its bot offline', async () => {
    const { connection } = await runMasterFor();
    for (let turns = 0; turns < 60; turns++) {
      const { id: botId, bot } = await onLine(connection, `bot-${turns}`);
      const value = { botId, instanceId: newId(), freeSlots: 0, leases: [] };
      bot.say({ $case: 'hello', value });
      for (let turn = 0; turn < 3 + (turns % 20); turn++) await nextTurn();
      bot.leave();
    }
    const online = async () =>
      (await unary(connection.system, connection.system.getSystemStats, {})).botsOnline;
    while ((await online()) > 0);
  });

  test('ends when a beat is missing', async () => {
    const { connection } = await runMasterFor();
    const { bot } = await onLine(connection);
    await bot.hello(0);
    const beat = { sequence: 2, freeSlots: 0, leases: [], resources: undefined };
    bot.say({ $case: 'beat', value: beat });
    expect(await bot.failure()).toMatchObject({
      code: Code.FAILED_PRECONDITION,
      reason: 'WRONG_SEQUENCE',
      message: expect.stringContaining('the next is 1'),
    });
  });

  test('ends when a beat comes twice, or Hello does', async () => {
    const { connection } = await runMasterFor();
    const { id, bot: twice } = await onLine(connection, 'twice');
    await twice.hello(0);
    await twice.beat(0);
    const beat = { sequence: 1, freeSlots: 0, leases: [], resources: undefined };
    twice.say({ $case: 'beat', value: beat });
    expect((await twice.failure())?.reason).toBe('WRONG_SEQUENCE');
    const again = new ScriptedBot(connection, id);
    await again.hello(0);
    await expect(again.hello(0)).rejects.toThrow(/FAILED_PRECONDITION/);
    expect((await again.failure())?.reason).toBe('UNEXPECTED_HELLO');
  });

  test('that says something wrong is told what, by field', async () => {
    const { connection } = await runMasterFor();
    const { bot } = await onLine(connection);
    await bot.hello(0);
    const beat = { sequence: 1, freeSlots: 9999, leases: [], resources: undefined };
    bot.say({ $case: 'beat', value: beat });
    expect(await bot.failure()).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: expect.stringContaining('beat.free_slots'),
    });
  });
});

describe('a job', () => {
  test('is pushed to a free slot the moment it is created, run and done', async () => {
    const { connection } = await runMasterFor();
    const { id, bot } = await onLine(connection);
    await bot.hello(1);
    const created = await createJob(connection);
    const lease = await bot.take();
    expect(lease).toEqual({ jobId: created.id, attempt: 1, fence: 1 });
    const ack = await bot.beat(0, [lease]);
    expect(ack.leases).toMatchObject([{ lease, cancelRequested: false }]);
    // What a bot took is on record a moment after its beats are answered.
    expect(await jobIn(connection, created.id, JobState.RUNNING)).toMatchObject({
      state: JobState.RUNNING,
      botId: id,
      statistics: { executions: 42 },
    });
    const done = await bot.done(lease, JobOutcome.COMPLETED);
    expect(done.outcome).toMatchObject({ $case: 'receipt', value: { state: JobState.COMPLETED } });
    expect((await bot.done(lease, JobOutcome.COMPLETED)).outcome).toEqual(done.outcome);
  });

  test('that waited is given to the first bot with credit, and no bot gets more than its credit', async () => {
    const { connection } = await runMasterFor();
    const jobs = [
      await createJob(connection),
      await createJob(connection),
      await createJob(connection),
    ];
    const { bot } = await onLine(connection);
    await bot.hello(2);
    const leases = [await bot.take(), await bot.take()];
    expect(leases.map((lease) => lease.jobId)).toEqual(jobs.slice(0, 2).map(({ id }) => id));
    await bot.beat(0, leases);
    expect(bot.unheard('assign')).toBe(0);
    await bot.beat(1, leases);
    expect((await bot.take()).jobId).toBe(jobs[2]?.id);
  });

  test('that a bot refuses goes to another', async () => {
    const { connection } = await runMasterFor();
    const { bot: first } = await onLine(connection, 'first');
    await first.hello(1);
    const { id } = await createJob(connection);
    const { assignment } = await first.hear('assign');
    first.say({ $case: 'leaseReject', value: { lease: assignment?.lease, reason: 'no room' } });
    const { bot: second } = await onLine(connection, 'second');
    await second.hello(1);
    expect(await second.take()).toEqual({ jobId: id, attempt: 2, fence: 2 });
  });

  test('that is offered and not answered for goes back, and costs no attempt', async () => {
    const { connection } = await runMasterFor({ PANDAFUZZ_LEASES_OFFER_TIMEOUT: '100ms' });
    const { bot: silent } = await onLine(connection, 'silent');
    await silent.hello(1);
    const { id } = await createJob(connection);
    await silent.hear('assign');
    const { bot } = await onLine(connection, 'answering');
    await bot.hello(1);
    expect(await bot.take()).toEqual({ jobId: id, attempt: 1, fence: 2 });
  });

  test('whose bot falls silent goes back when the lease ends, and its late word is not heard', async () => {
    const { connection } = await runMasterFor({
      PANDAFUZZ_LEASES_TTL: '1s',
      PANDAFUZZ_LEASES_HEARTBEAT_INTERVAL: '100ms',
    });
    const { bot: silent } = await onLine(connection, 'silent');
    await silent.hello(1);
    const { id } = await createJob(connection);
    const stale = await silent.take();
    await silent.beat(0, [stale]);
    const told = { executions: 42 };
    expect((await job(connection, id)).statistics).toMatchObject(told);
    const { bot } = await onLine(connection, 'alive');
    await bot.hello(1);
    expect(await bot.take()).toEqual({ jobId: id, attempt: 1, fence: 2 });
    expect((await job(connection, id)).statistics).toMatchObject(told); // on disk with its end
    const done = await silent.done(stale, JobOutcome.COMPLETED);
    expect(done.outcome).toMatchObject({ $case: 'refusal', value: { reason: 'STALE_LEASE' } });
    const ack = await silent.beat(0, [stale]);
    expect(ack.leases).toMatchObject([{ remainingTtlMs: 0 }]);
  });

  test('that is cancelled is asked to stop until it has, and is CANCELLED then', async () => {
    const { connection } = await runMasterFor();
    const { bot } = await onLine(connection);
    await bot.hello(1);
    const { id } = await createJob(connection);
    const lease = await bot.take();
    await bot.beat(0, [lease]);
    expect(await cancel(connection, id)).toMatchObject({ state: JobState.RUNNING });
    expect((await bot.hear('cancel')).lease).toEqual(lease);
    expect((await bot.beat(0, [lease])).leases).toMatchObject([{ cancelRequested: true }]);
    await bot.done(lease, JobOutcome.CANCELLED);
    expect(await job(connection, id)).toMatchObject({ state: JobState.CANCELLED });
  });

  test('is given back at once by a bot that comes back without it', async () => {
    const { connection } = await runMasterFor();
    const { id: botId, bot: before } = await onLine(connection);
    await before.hello(1);
    const { id } = await createJob(connection);
    await before.take();
    before.leave();
    const after = new ScriptedBot(connection, botId);
    await after.hello(1);
    expect(await after.take()).toEqual({ jobId: id, attempt: 1, fence: 2 });
  });

  test('is kept by a bot that reconnects with it', async () => {
    const { connection } = await runMasterFor();
    const { id: botId, bot: before } = await onLine(connection);
    await before.hello(1);
    await createJob(connection);
    const lease = await before.take();
    before.leave();
    const after = new ScriptedBot(connection, botId);
    const welcome = await after.hello(0, [lease]);
    expect(welcome.leases).toEqual([{ lease, keep: true, cancelRequested: false }]);
  });

  test('goes round slowly for a bot with trouble of its own', async () => {
    const { connection } = await runMasterFor();
    const { bot } = await onLine(connection);
    await bot.hello(1);
    await createJob(connection);
    const lease = await bot.take();
    await bot.done(lease, JobOutcome.INFRASTRUCTURE);
    await bot.beat(1);
    expect(await bot.take()).toMatchObject({ attempt: 1, fence: 2 });
    const { jobId } = lease;
    const { attempts } = await unary(connection.jobs, connection.jobs.getJob, { jobId });
    const [again, first] = attempts;
    // By the master's own records; its timers go by whole milliseconds.
    expect(Number(again?.assignedAt) - Number(first?.endedAt)).toBeGreaterThan(990);
  });
});

describe('after a restart of the master', () => {
  test('a lease is still its bot’s, and its result still counts', async () => {
    const directory = temporaryFolder();
    const before = await runMasterFor({}, directory);
    const { id: botId, bot } = await onLine(before.connection);
    await bot.hello(1);
    const { id } = await createJob(before.connection);
    const lease = await bot.take();
    await beatUntil(bot, async () => (await job(before.connection, id)).state === JobState.RUNNING);
    await before.master.stop();
    expect(await bot.ended).toBe(Code.UNAVAILABLE);

    const after = await runMasterFor({}, directory);
    expect(await job(after.connection, id)).toMatchObject({ state: JobState.RUNNING });
    const returned = new ScriptedBot(after.connection, botId);
    expect((await returned.hello(0, [lease])).leases).toMatchObject([{ keep: true }]);
    const done = await returned.done(lease, JobOutcome.COMPLETED);
    expect(done.outcome).toMatchObject({ $case: 'receipt' });
  });

  test('jobs that waited are still handed out', async () => {
    const directory = temporaryFolder();
    const before = await runMasterFor({}, directory);
    const { id } = await createJob(before.connection);
    await before.master.stop();
    const after = await runMasterFor({}, directory);
    const { bot } = await onLine(after.connection);
    await bot.hello(1);
    expect((await bot.take()).jobId).toBe(id);
  });
});
