import { status as Code } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { failureOf } from '../../src/client/failure.js';
import {
  type Attempt,
  AttemptEnd,
  type Job,
  JobOutcome,
  JobState,
} from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { runMasterFor } from '../harness.js';
import { ScriptedBot } from '../scripted-bot.js';
import { createJob, given, jobIn, registerBot, uploadTarget } from '../steps.js';

/** One job, taken without a stream; undefined when there is none for this bot now. */
async function pull(connection: Connection, botId: string, waitMs = 0) {
  const request = { botId, waitMs, leaseTtlMs: 0 };
  return (await unary(connection.jobs, connection.jobs.assignJob, request)).assignment;
}

async function complete(connection: Connection, lease: Lease, outcome = JobOutcome.COMPLETED) {
  const result = { outcome, message: 'because', statistics: undefined };
  await unary(connection.jobs, connection.jobs.completeJob, { lease, result });
}

const getJob = async (connection: Connection, jobId: string) =>
  unary(connection.jobs, connection.jobs.getJob, { jobId });

const explainJob = (connection: Connection, jobId: string) =>
  unary(connection.jobs, connection.jobs.explainJob, { jobId });

async function master(settings: Record<string, string> = {}) {
  const { connection } = await runMasterFor(settings);
  const { sha256: targetSha256 } = await uploadTarget(connection);
  const submit = (spec: Parameters<typeof createJob>[1] = {}) =>
    createJob(connection, { targetSha256, ...spec });
  return { connection, submit };
}

/** Between attempts, the last two first, by the master's own records. */
const pausesMs = (attempts: readonly Attempt[]) =>
  attempts.slice(1).map(({ endedAt }, i) => Number(attempts[i]?.assignedAt) - Number(endedAt));

const requirements = (labels: Record<string, string>, memoryMib = 0) => ({
  ...{ labels, memoryMib, diskMib: 0, otherThanBotId: '' },
});
const timeouts = (some: Partial<Record<'start' | 'run' | 'close', number>>) => ({
  scheduleToStartSeconds: some.start ?? 0,
  startToCloseSeconds: some.run ?? 0,
  scheduleToCloseSeconds: some.close ?? 0,
});

describe('a job that requires something', () => {
  test('goes only to a bot that offers it, and what is in the way elsewhere is told', async () => {
    const { connection, submit } = await master();
    const west = await registerBot(connection, 'west', {
      labels: { zone: 'west' },
      memoryMib: 512,
    });
    const east = await registerBot(connection, 'east', {
      labels: { zone: 'east' },
      memoryMib: 4096,
    });
    const job = await submit({ requirements: requirements({ zone: 'east' }, 1024) });
    expect((await explainJob(connection, job.id)).reasons).toEqual(['no bot is online']);
    const bot = new ScriptedBot(connection, west.id);
    await bot.hello(1);
    expect((await explainJob(connection, job.id)).reasons).toEqual([
      '1 of 1 bots online: the bot has the label zone=west, not east',
      '1 of 1 bots online: the bot offers 512 MiB of memory, not 1024 MiB',
    ]);
    const { reasons } = await unary(connection.bots, connection.bots.explainBot, {
      botId: west.id,
    });
    expect(reasons).toEqual([
      '1 job waits, but this bot has the label zone=west, not east and offers 512 MiB of memory, not 1024 MiB',
    ]);
    expect(await pull(connection, west.id)).toBeUndefined();
    expect((await pull(connection, east.id))?.lease?.jobId).toBe(job.id);
  });
});

describe('turns', () => {
  test('within a campaign go by priority, then by age', async () => {
    const { connection, submit } = await master();
    const bot = await registerBot(connection);
    const old = await submit();
    const urgent = await submit({ priority: 5 });
    const young = await submit();
    const explained = await explainJob(connection, young.id);
    expect(explained).toMatchObject({ rank: 2, ahead: [urgent.id, old.id] });
    const order: (string | undefined)[] = [];
    for (let i = 0; i < 3; i++) order.push((await pull(connection, bot.id))?.lease?.jobId);
    expect(order).toEqual([urgent.id, old.id, young.id]);
  });

  test('between campaigns go by weight, however many jobs one has, whatever their priority', async () => {
    const { connection, submit } = await master();
    const bot = await registerBot(connection);
    const set = { key: 'nightly', weight: 3, maxParallel: 0 };
    await unary(connection.jobs, connection.jobs.setCampaign, set);
    for (let i = 0; i < 60; i++) await submit({ campaign: 'flood', priority: 100 });
    for (let i = 0; i < 40; i++) await submit({ campaign: 'nightly' });
    const taken = { flood: 0, nightly: 0 };
    for (let i = 0; i < 40; i++) {
      const assignment = given(await pull(connection, bot.id));
      taken[given(assignment.spec).campaign as keyof typeof taken]++;
    }
    expect(taken).toEqual({ flood: 10, nightly: 30 });
    const { campaigns } = await unary(connection.jobs, connection.jobs.listCampaigns, {
      pageSize: 0,
      pageToken: '',
    });
    expect(campaigns).toEqual([
      { key: 'flood', weight: 1, maxParallel: 0, running: 10, pending: 50 },
      { key: 'nightly', weight: 3, maxParallel: 0, running: 30, pending: 10 },
    ]);
  });

  test('stop at a campaign’s limit, and go on when one of its jobs ends', async () => {
    const { connection, submit } = await master();
    const bot = await registerBot(connection);
    const set = { key: 'narrow', weight: 1, maxParallel: 2 };
    await unary(connection.jobs, connection.jobs.setCampaign, set);
    const made: Job[] = [];
    for (let i = 0; i < 4; i++) made.push(await submit({ campaign: 'narrow' }));
    const first = given(await pull(connection, bot.id));
    given(await pull(connection, bot.id));
    expect(await pull(connection, bot.id)).toBeUndefined();
    expect((await explainJob(connection, given(made[2]).id)).reasons).toContain(
      'its campaign runs 2 jobs already, as many as it may at once',
    );
    const waiting = pull(connection, bot.id, 10_000);
    await complete(connection, given(first.lease));
    expect((await waiting)?.lease?.jobId).toBe(given(made[2]).id);
  });
});

describe('times', () => {
  test('a job is not handed out before its own', async () => {
    const { connection, submit } = await master();
    const bot = await registerBot(connection);
    const inAnHour = await submit({ notBefore: new Date(Date.now() + 3_600_000) });
    const notBefore = new Date(Date.now() + 1500);
    const soon = await submit({ notBefore });
    expect((await pull(connection, bot.id, 10_000))?.lease?.jobId).toBe(soon.id);
    const { attempts } = await getJob(connection, soon.id);
    const assignedAt = given(given(attempts[0]).assignedAt).getTime();
    expect(assignedAt).toBeGreaterThanOrEqual(notBefore.getTime());
    const { reasons } = await explainJob(connection, inAnHour.id);
    expect(reasons[0]).toMatch(/^it may not start for another 3[56]\d\d s \(its not_before\)$/);
    expect(await pull(connection, bot.id)).toBeUndefined();
  });

  test('a job that nobody takes in time is dead, and RetryJob revives it', async () => {
    const { connection, submit } = await master();
    const bot = await registerBot(connection);
    const { id: jobId } = await submit({ timeouts: timeouts({ start: 1 }) });
    const dead = await jobIn(connection, jobId, JobState.DEAD);
    expect(dead.result?.message).toBe('no bot took it within timeouts.schedule_to_start_seconds');
    expect((await explainJob(connection, jobId)).reasons[0]).toMatch(/^it is dead: no bot took it/);
    const waiting = pull(connection, bot.id, 10_000);
    const { job } = await unary(connection.jobs, connection.jobs.retryJob, { jobId });
    expect(job?.state).toBe(JobState.PENDING);
    const assignment = given(await waiting);
    await complete(connection, given(assignment.lease));
    const again = unary(connection.jobs, connection.jobs.retryJob, { jobId });
    expect(failureOf(await again.catch((error) => error))).toMatchObject({
      code: Code.FAILED_PRECONDITION,
      reason: 'NOT_DEAD',
    });
  });

  test('a run that takes too long is stopped, and counts as failed', async () => {
    const { connection, submit } = await master();
    const bot = new ScriptedBot(connection, (await registerBot(connection)).id);
    await bot.hello(1);
    const { id } = await submit({ timeouts: timeouts({ run: 1 }), maxAttempts: 1 });
    const lease = await bot.take();
    const cancel = await bot.hear('cancel');
    expect(cancel.lease).toEqual(lease);
    bot.say({ $case: 'cancelAck', value: { lease } });
    await bot.done(lease, JobOutcome.CANCELLED);
    const job = await jobIn(connection, id, JobState.DEAD);
    expect(job).toMatchObject({ failedAttempts: 1, lostAttempts: 0 });
    expect(job.result?.message).toBe('the run took longer than its timeouts allow');
    expect(job.cancelAcknowledgedAt).toBeInstanceOf(Date);
  });

  test('a run that does not stop is taken from its bot', async () => {
    const settings = { PANDAFUZZ_LEASES_TTL: '1s', PANDAFUZZ_LEASES_HEARTBEAT_INTERVAL: '200ms' };
    const { connection, submit } = await master(settings);
    const bot = new ScriptedBot(connection, (await registerBot(connection)).id);
    await bot.hello(1);
    const { id } = await submit({ timeouts: timeouts({ run: 1 }), maxAttempts: 1 });
    const lease = await bot.take();
    let state = JobState.RUNNING;
    while (state !== JobState.DEAD) {
      await bot.beat(0, [lease]);
      state = given((await getJob(connection, id)).job).state;
    }
    const { attempts } = await getJob(connection, id);
    expect(attempts).toMatchObject([{ attempt: 1, fence: 1, end: AttemptEnd.TIMED_OUT }]);
    expect(await bot.beat(0, [lease])).toMatchObject({ leases: [{ remainingTtlMs: 0 }] });
  });

  test('a job whose whole time is over is dead, wherever it stands', async () => {
    const { connection, submit } = await master();
    const { id } = await submit({ timeouts: timeouts({ close: 1 }) });
    await unary(connection.jobs, connection.jobs.pauseJob, { jobId: id });
    const dead = await jobIn(connection, id, JobState.DEAD);
    expect(dead.result?.message).toMatch(/schedule_to_close/);
  });

  test('a failed attempt is followed by a pause, and counted apart from losses and refusals', async () => {
    const { connection, submit } = await master({ PANDAFUZZ_JOBS_RETRY_DELAY: '1s' });
    const bot = await registerBot(connection);
    const { id } = await submit({ maxAttempts: 3 });
    const first = given(await pull(connection, bot.id));
    await complete(connection, given(first.lease), JobOutcome.INFRASTRUCTURE);
    const second = given(await pull(connection, bot.id));
    await complete(connection, given(second.lease), JobOutcome.FAILED);
    const third = given(await pull(connection, bot.id, 10_000));
    expect(third.lease).toEqual({ jobId: id, attempt: 2, fence: 3 });
    const { job, attempts } = await getJob(connection, id);
    expect(pausesMs(attempts)[0]).toBeGreaterThanOrEqual(1000);
    expect(job).toMatchObject({ failedAttempts: 1, refusedAttempts: 0, lostAttempts: 1 });
    expect(attempts.map(({ end }) => end)).toEqual([
      AttemptEnd.UNSPECIFIED,
      AttemptEnd.FAILED,
      AttemptEnd.INFRASTRUCTURE,
    ]);
  });
});

describe('a pause after a failed attempt', () => {
  test('holds its job back, and is told', async () => {
    const { connection, submit } = await master({ PANDAFUZZ_JOBS_RETRY_DELAY: '10m' });
    const bot = await registerBot(connection);
    const { id } = await submit({ maxAttempts: 3 });
    const { lease } = given(await pull(connection, bot.id));
    await complete(connection, given(lease), JobOutcome.FAILED);
    expect(await pull(connection, bot.id)).toBeUndefined();
    expect((await explainJob(connection, id)).reasons[0]).toMatch(
      /the pause after a failed attempt/,
    );
  });
});

describe('a pause', () => {
  test('holds back a job that waits, until it is resumed', async () => {
    const { connection, submit } = await master();
    const bot = await registerBot(connection);
    const { id: jobId } = await submit();
    const { job } = await unary(connection.jobs, connection.jobs.pauseJob, { jobId });
    expect(job).toMatchObject({ state: JobState.PAUSED, pauseRequestedAt: expect.any(Date) });
    expect(await pull(connection, bot.id)).toBeUndefined();
    const waiting = pull(connection, bot.id, 10_000);
    await unary(connection.jobs, connection.jobs.resumeJob, { jobId });
    expect((await waiting)?.lease?.jobId).toBe(jobId);
  });

  test('stops a run without using up an attempt', async () => {
    const { connection, submit } = await master();
    const bot = new ScriptedBot(connection, (await registerBot(connection)).id);
    await bot.hello(1);
    const { id: jobId } = await submit({ maxAttempts: 1 });
    const lease = await bot.take();
    await bot.beat(0, [lease]);
    await jobIn(connection, jobId, JobState.RUNNING);
    await unary(connection.jobs, connection.jobs.pauseJob, { jobId });
    await bot.hear('cancel');
    await bot.done(lease, JobOutcome.CANCELLED);
    const paused = await jobIn(connection, jobId, JobState.PAUSED);
    expect(paused).toMatchObject({ failedAttempts: 0, lostAttempts: 0 });
    await bot.beat(1);
    await unary(connection.jobs, connection.jobs.resumeJob, { jobId });
    expect(await bot.take()).toEqual({ jobId, attempt: 1, fence: 2 });
  });
});

describe('a bot that is drained', () => {
  test('finishes what it has, is given nothing new, and works again when it is resumed', async () => {
    const { connection, submit } = await master();
    const { id: botId } = await registerBot(connection);
    const bot = new ScriptedBot(connection, botId);
    await bot.hello(2);
    await submit();
    const lease = await bot.take();
    const drained = await unary(connection.bots, connection.bots.drainBot, { botId });
    expect(drained.bot).toMatchObject({ state: 3, drainRequestedAt: expect.any(Date) });
    await bot.hear('drain');
    const second = await submit();
    await bot.beat(1, [lease]);
    const { reasons } = await unary(connection.bots, connection.bots.explainBot, { botId });
    expect(reasons).toEqual(['it is being drained: it finishes the 1 jobs it has']);
    const deletion = unary(connection.bots, connection.bots.deleteBot, { botId });
    expect(failureOf(await deletion.catch((error) => error))?.reason).toBe('HOLDS_LEASES');
    await bot.done(lease, JobOutcome.COMPLETED);
    expect(bot.unheard('assign')).toBe(0);
    for (;;) {
      const { bot: now } = await unary(connection.bots, connection.bots.getBot, { botId });
      if (now?.drainedAt) break;
    }
    await unary(connection.bots, connection.bots.resumeBot, { botId });
    await bot.beat(1);
    expect((await bot.take()).jobId).toBe(second.id);
  });

  test('can be forgotten, and its name be registered anew', async () => {
    const { connection } = await master();
    const { id: botId } = await registerBot(connection, 'phoenix');
    const bot = new ScriptedBot(connection, botId);
    await bot.hello(1);
    await unary(connection.bots, connection.bots.deleteBot, { botId });
    expect(await bot.ended).toBe(Code.NOT_FOUND);
    const get = unary(connection.bots, connection.bots.getBot, { botId });
    expect(failureOf(await get.catch((error) => error))?.code).toBe(Code.NOT_FOUND);
    expect((await registerBot(connection, 'phoenix')).id).not.toBe(botId);
  });
});

describe('a watch', () => {
  test('tells every change in order, and goes on from a cursor without a gap', async () => {
    const { connection, submit } = await master();
    const bot = await registerBot(connection);
    const watch = (cursor: number, jobId = '') => connection.jobs.watchJobs({ cursor, jobId });
    const early = watch(0);
    early.on('error', () => {});
    const heard = early[Symbol.asyncIterator]();
    const { cursor: start } = (await heard.next()).value;
    const first = await submit();
    const { lease } = given(await pull(connection, bot.id));
    const kinds: string[] = [];
    let cursor = start;
    while (kinds.length < 3) {
      const { value } = await heard.next();
      kinds.push(value.kind);
      cursor = value.cursor;
      expect(value.job.id).toBe(first.id);
    }
    expect(kinds).toEqual(['job.created', 'job.assigned', 'job.running']);
    early.cancel();

    await complete(connection, given(lease));
    const second = await submit();
    const late = watch(cursor);
    late.on('error', () => {});
    const missed: string[] = [];
    for await (const { kind, job } of late) {
      missed.push(`${kind} ${job?.id === first.id ? 'first' : 'second'}`);
      if (job?.id === second.id) break;
    }
    expect(missed).toEqual(['job.completed first', 'job.created second']);

    const beyond = watch(1_000_000);
    const refused = await new Promise((resolve) => beyond.on('error', resolve).resume());
    expect(failureOf(refused)?.code).toBe(Code.OUT_OF_RANGE);
  });
});
