import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Agent } from '../../src/bot/agent.js';
import { silentLog } from '../../src/core/log.js';
import { LeasePhase } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import {
  type JobKind,
  JobOutcome,
  JobState,
  StartTrouble,
} from '../../src/gen/pandafuzz/v1/job.js';
import type { Assignment, Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { pause } from '../pause.js';
import { eventually } from '../steps.js';
import { Road } from './road.js';
import { assignment, type Peer, pretendedTarget, ScriptedMaster } from './scripted-master.js';

let master: ScriptedMaster;
let workDir: string;
let target: string;
let agent: Agent | undefined;
let road: Road | undefined;

beforeEach(async () => {
  master = await new ScriptedMaster().start();
  workDir = await mkdtemp(join(tmpdir(), 'pandafuzz-bot-'));
  target = master.addArtifact(pretendedTarget);
});

afterEach(async () => {
  master.stop();
  await agent?.stop();
  agent = undefined;
  road?.close();
  road = undefined;
  await rm(workDir, { recursive: true, force: true });
});

async function startBot(slots = 1, address = master.address): Promise<Agent> {
  agent = await Agent.start({
    master: address,
    name: 'tested',
    workDir,
    slots,
    labels: {},
    exchangeIntervalMs: 60_000,
    log: silentLog,
  });
  return agent;
}

/** A bot with a stream, welcomed. */
async function connected(slots = 1): Promise<Peer> {
  await startBot(slots);
  const { peer } = await master.nextStream();
  peer.welcome();
  return peer;
}

/** A bot that fuzzes one job. */
async function fuzzing(slots = 1): Promise<{ peer: Peer; lease: Lease }> {
  const peer = await connected(slots);
  const job = assignment(target, { environment: { MODE: 'fuzz' } });
  const lease = leaseOf(job);
  peer.assign(job);
  await peer.next('leaseAck');
  await peer.next('beat', (beat) => beat.leases[0]?.phase === LeasePhase.FUZZING);
  // The phase begins with what the engine needs before its start.
  await eventually(async () => (await engines())[0]);
  return { peer, lease };
}

const leaseOf = (job: Assignment) => job.lease as Lease;

const receipt = (lease: Lease) => ({
  $case: 'receipt' as const,
  value: { ...lease, recordedAt: undefined, state: JobState.COMPLETED },
});

const acknowledge = (peer: Peer, lease: Lease) =>
  peer.say({ $case: 'jobDoneAck', value: { lease, outcome: receipt(lease) } });

/** Processes that work in the bot's folder. */
async function engines(): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await readdir('/proc')) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (Number(pid) > 0 && cwd.startsWith(join(workDir, 'runs'))) found.push(Number(pid));
  }
  return found;
}

/** The same, once there are some: a run begins to fuzz a little before its engine's process. */
async function enginesThere(): Promise<number[]> {
  for (;;) {
    const found = await engines();
    if (found.length > 0) return found;
    await pause();
  }
}

async function untilEmpty(folder: string): Promise<void> {
  while ((await readdir(folder)).length > 0) await pause();
}

async function enginesGone(): Promise<void> {
  while ((await engines()).length > 0) await pause();
}

describe('a bot', () => {
  test('registers, says Hello, and announces its slots in its first beat', async () => {
    await startBot(3);
    const { peer, hello } = await master.nextStream();
    expect(master.registered[0]).toMatchObject({
      name: 'tested',
      slots: 3,
      engines: expect.arrayContaining(['libfuzzer', 'libfuzzer-crashes']),
    });
    expect(hello).toMatchObject({ freeSlots: 3, leases: [] });
    peer.welcome();
    const beat = await peer.next('beat');
    expect(beat).toMatchObject({ sequence: 1, freeSlots: 3 });
    expect(beat.resources?.diskFreeBytes).toBeGreaterThan(0);
  });

  test('counts a slot as used from the acknowledgement of the job to that of its result', async () => {
    const peer = await connected(2);
    const job = assignment(target, { environment: { MODE: 'leave' } });
    peer.assign(job);
    await peer.next('leaseAck');
    expect(await peer.next('beat')).toMatchObject({ freeSlots: 1, leases: [{ lease: job.lease }] });
    await peer.next('jobDone');
    expect(await peer.next('beat')).toMatchObject({ freeSlots: 1, leases: [{ lease: job.lease }] });
    acknowledge(peer, leaseOf(job));
    expect(await peer.next('beat', (beat) => beat.freeSlots === 2)).toMatchObject({ leases: [] });
  });

  test('tells a result again and again until it is acknowledged, across streams', async () => {
    const peer = await connected();
    const job = assignment(target, { environment: { MODE: 'leave' } });
    peer.assign(job);
    const first = await peer.next('jobDone');
    expect(first.result).toMatchObject({
      outcome: JobOutcome.COMPLETED,
      statistics: { executions: 2 },
    });
    expect(await peer.next('jobDone')).toEqual(first);
    peer.call.destroy();
    const again = await master.nextStream();
    expect(again.hello).toMatchObject({ freeSlots: 0, leases: [job.lease] });
    again.peer.welcome([{ lease: leaseOf(job), keep: true }]);
    expect(await again.peer.next('jobDone')).toEqual(first);
    acknowledge(again.peer, leaseOf(job));
    await again.peer.next('beat', (beat) => beat.freeSlots === 1);
    await untilEmpty(join(workDir, 'runs'));
  });

  test('brings a result that was not acknowledged after a restart of its own, once more', async () => {
    const peer = await connected();
    const job = assignment(target, { environment: { MODE: 'leave' } });
    peer.assign(job);
    const first = await peer.next('jobDone');
    await agent?.stop();
    await startBot();
    const again = await master.nextStream();
    expect(again.hello).toMatchObject({ freeSlots: 0, leases: [job.lease] });
    again.peer.welcome([{ lease: leaseOf(job), keep: true }]);
    expect(await again.peer.next('jobDone')).toEqual(first);
    acknowledge(again.peer, leaseOf(job));
    await again.peer.next('beat', (beat) => beat.freeSlots === 1);
    await untilEmpty(join(workDir, 'runs'));
  });

  test('waits as long as a refusal asks for, and takes a final one for an answer', async () => {
    const peer = await connected();
    const job = assignment(target, { environment: { MODE: 'leave' } });
    const lease = leaseOf(job);
    peer.assign(job);
    await peer.next('jobDone');
    const refuse = (reason: string, retryAfterMs: number) =>
      peer.say({
        $case: 'jobDoneAck',
        value: {
          lease,
          outcome: { $case: 'refusal', value: { reason, message: '', retryAfterMs } },
        },
      });
    refuse('OVERLOADED', 1);
    await peer.next('jobDone');
    refuse('STALE_LEASE', 0);
    await peer.next('beat', (beat) => beat.freeSlots === 1);
  });

  test('reports every crash before it tells the result', async () => {
    const peer = await connected();
    const environment = { MODE: 'crash' };
    const job = assignment(target, {
      environment,
      limits: { maxDurationSeconds: 60, maxCrashes: 2 },
    });
    peer.assign(job);
    const { result } = await peer.next('jobDone');
    expect(result).toMatchObject({ outcome: JobOutcome.COMPLETED, statistics: { crashes: 2 } });
    expect(master.crashes).toHaveLength(2);
    const [crash] = master.crashes;
    expect(crash?.report.lease).toMatchObject({ ...job.lease, botId: expect.any(String) });
    expect(crash?.report.report).toContain('SEGV on unknown address');
    expect(crash?.input.toString()).toMatch(/^input \d+$/);
    expect(crash?.report.inputSizeBytes).toBe(crash?.input.length);
  });

  test('sends three crashes of one stack at most, and counts them all', async () => {
    const peer = await connected();
    peer.assign(assignment(target, { environment: { MODE: 'crash' } }));
    await peer.next('beat', (beat) => (beat.leases[0]?.statistics?.crashes ?? 0) >= 6);
    await master.crashesArrived(3);
    expect(master.crashes).toHaveLength(3);
  });

  test('tries a crash again that the master could not take, and puts aside one it never will', async () => {
    master.crashFailures.push(status.INTERNAL, status.INVALID_ARGUMENT);
    const peer = await connected();
    const environment = { MODE: 'crash' };
    peer.assign(
      assignment(target, { environment, limits: { maxDurationSeconds: 60, maxCrashes: 2 } }),
    );
    await peer.next('jobDone');
    expect(master.crashes).toHaveLength(1);
    expect(await readdir(join(workDir, 'spool', 'refused'))).toHaveLength(1);
    expect(await readdir(join(workDir, 'spool'))).toEqual(['refused']);
  });

  test('fuzzes on while its stream is broken, and goes on with the lease', async () => {
    const { peer, lease } = await fuzzing();
    const before = await enginesThere();
    peer.call.destroy();
    const again = await master.nextStream();
    expect(again.hello.leases).toEqual([lease]);
    again.peer.welcome([{ lease, keep: true }]);
    await again.peer.next('beat', (beat) => beat.leases[0]?.phase === LeasePhase.FUZZING);
    expect((await engines())[0]).toBe(before[0]);
  });

  test('stops and forgets a run whose lease did not outlive the stream', async () => {
    const { peer, lease } = await fuzzing();
    peer.call.destroy();
    const again = await master.nextStream();
    again.peer.welcome([{ lease, keep: false }]);
    expect(await again.peer.next('beat', (beat) => beat.freeSlots === 1)).toMatchObject({
      leases: [],
    });
    await enginesGone();
  });

  test('stops and forgets a run whose lease has no time left', async () => {
    const { peer, lease } = await fuzzing();
    peer.answer(1, [{ lease, remainingTtlMs: 0 }]);
    await peer.next('beat', (beat) => beat.freeSlots === 1);
    await enginesGone();
  });

  test('acknowledges a cancel, stops the engine and tells so', async () => {
    const { peer, lease } = await fuzzing();
    peer.say({ $case: 'cancel', value: { lease } });
    expect(await peer.next('cancelAck')).toEqual({ lease });
    const { result } = await peer.next('jobDone');
    expect(result?.outcome).toBe(JobOutcome.CANCELLED);
    expect(result?.message).not.toBe('');
    await enginesGone();
  });

  test('refuses a job for an engine it does not have', async () => {
    const peer = await connected();
    const job = assignment(target, { engine: 'other' });
    peer.assign(job);
    const reason = 'this bot does not have the engine other';
    const trouble = StartTrouble.MACHINE; // which uses up no attempt of the job
    expect(await peer.next('leaseReject')).toMatchObject({ lease: job.lease, reason, trouble });
  });

  test('refuses a job of a kind that it does not know, rather than fuzz', async () => {
    const peer = await connected(1);
    const job = assignment(target, { kind: 99 as JobKind });
    peer.assign(job);
    const reason = 'this bot cannot do jobs of this kind with libfuzzer';
    expect(await peer.next('leaseReject')).toEqual({ lease: job.lease, reason });
  });

  test('lets an offer lapse that it has no slot for, which costs the job nothing', async () => {
    const { peer, lease } = await fuzzing();
    peer.assign(assignment(target));
    peer.assign({ lease, spec: undefined, ttlMs: 1, secrets: {} });
    const answer = await Promise.race([peer.next('leaseAck'), peer.next('leaseReject')]);
    expect(answer).toEqual({ lease });
  });

  test('takes nothing while it drains, goes on with what it has, and takes work again after it', async () => {
    const { peer, lease } = await fuzzing(2);
    peer.say({ $case: 'drain', value: {} });
    await peer.next('drainAck');
    await peer.next('beat', (beat) => beat.freeSlots === 0);
    peer.assign(assignment(target));
    const { leases } = await peer.next('beat', (beat) => beat.sequence > 5);
    expect(leases.map((status) => status.lease)).toEqual([lease]);
    peer.say({ $case: 'resume', value: {} });
    await peer.next('beat', (beat) => beat.freeSlots > 0);
  });

  test('takes a silent stream for dead and opens another', async () => {
    const peer = await connected();
    peer.answersBeats = false;
    const again = await master.nextStream();
    again.peer.welcome();
    await again.peer.next('beat');
  });

  test('leaves a connection that leads nowhere for a new one', async () => {
    road = await Road.to(master.port);
    await startBot(1, road.address);
    const { peer } = await master.nextStream();
    peer.welcome();
    await peer.next('beat');
    road.swallow();
    const again = await master.nextStream();
    again.peer.welcome();
    await again.peer.next('beat');
    expect(peer.call.destroyed).toBe(false); // nothing closed the old one
  });

  test('gives up a master that speaks before it was greeted, and tries again', async () => {
    await startBot();
    const { peer } = await master.nextStream();
    peer.say({ $case: 'drain', value: {} });
    await master.nextStream();
  });

  test('registers again with a master that does not know it', async () => {
    await startBot();
    const { peer } = await master.nextStream();
    peer.call.emit('error', { code: status.NOT_FOUND, details: 'there is no such bot' });
    await master.nextStream();
    expect(master.registered).toHaveLength(2);
  });

  test('follows GoAway and comes back', async () => {
    const { peer, lease } = await fuzzing();
    peer.say({ $case: 'goAway', value: { reason: 'shutting down', reconnectAfterMs: 1 } });
    const again = await master.nextStream();
    expect(again.hello.leases).toEqual([lease]);
  });

  test('fails a target that is no fuzzer, in its own words', async () => {
    const peer = await connected();
    peer.assign(assignment(target, { environment: { MODE: 'no fuzzer' } }));
    const { result } = await peer.next('jobDone');
    expect(result?.outcome).toBe(JobOutcome.FAILED);
    expect(result?.message).toContain('usage: frobnicate FILE');
  });

  test.each([
    ['what cannot be executed', () => master.addArtifact('\x7fELF but not really'), {}],
    ['what the master does not have', () => 'a'.repeat(64), {}],
    ['arguments that are not for jobs', () => target, { arguments: ['-fork=2'] }],
    ['seeds that are no archive', () => target, { seedsSha256: 'target' }],
  ])('fails %s', async (_what, artifact, spec) => {
    const peer = await connected();
    const seeds = 'seedsSha256' in spec ? { seedsSha256: target } : {};
    peer.assign(assignment(artifact(), { ...spec, ...seeds }));
    const { result } = await peer.next('jobDone');
    expect(result).toMatchObject({
      outcome: JobOutcome.FAILED,
      message: expect.stringMatching(/\w/),
    });
  });

  test('that is stopped kills its engines, tells what it can and leaves', async () => {
    const { peer, lease } = await fuzzing(2);
    const stopped = agent?.stop();
    await peer.next('beat', (beat) => beat.freeSlots === 0);
    const { result } = await peer.next('jobDone');
    expect(result).toMatchObject({
      outcome: JobOutcome.INFRASTRUCTURE,
      message: 'bot is shutting down',
    });
    expect(await engines()).toEqual([]);
    acknowledge(peer, lease);
    await stopped;
    expect(await readdir(join(workDir, 'runs'))).toEqual([]);
  });

  test('that is stopped while nobody answers leaves all the same', async () => {
    const { peer } = await fuzzing();
    peer.answersBeats = false;
    await agent?.stop();
    expect(await engines()).toEqual([]);
  });

  test('sends on its next start what it could not send before it ended', async () => {
    master.crashFailures.push(...Array(100).fill(status.UNAVAILABLE));
    const peer = await connected();
    peer.assign(assignment(target, { environment: { MODE: 'crash' } }));
    await peer.next('beat', (beat) => (beat.leases[0]?.statistics?.crashes ?? 0) >= 1);
    await agent?.stop();
    const waiting = (await readdir(join(workDir, 'spool'))).filter((name) => name !== 'refused');
    expect(waiting.length).toBeGreaterThan(0);
    expect(existsSync(join(workDir, 'spool', waiting[0] as string, 'input'))).toBe(true);
    master.crashFailures.length = 0;
    await startBot();
    await master.crashesArrived(waiting.length);
  });

  test('has its folder to itself', async () => {
    const peer = await connected();
    await peer.next('beat');
    const second = Agent.start({
      master: master.address,
      name: 'second',
      workDir,
      slots: 1,
      labels: {},
      exchangeIntervalMs: 0,
      log: silentLog,
    });
    await expect(second).rejects.toMatchObject({ name: 'UserError', message: /--work-dir/ });
    await agent?.stop();
    await startBot();
  });

  test('downloads a target once for two runs', async () => {
    const peer = await connected(2);
    peer.assign(assignment(target, { environment: { MODE: 'fuzz' } }));
    peer.assign(assignment(target, { environment: { MODE: 'fuzz' } }));
    await peer.next(
      'beat',
      (beat) => beat.leases.filter(({ phase }) => phase === LeasePhase.FUZZING).length === 2,
    );
    expect(master.downloads).toBe(1);
    const kept = await readFile(join(workDir, 'artifacts', target), 'utf8');
    expect(kept).toBe(pretendedTarget);
  });
});
