import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { loadMasterConfig } from '../../src/config/load.js';
import type { Clock, Timer } from '../../src/core/clock.js';
import type { RequestContext } from '../../src/core/context.js';
import { newId } from '../../src/core/ids.js';
import { silentLog } from '../../src/core/log.js';
import type { HeartbeatRequest, HeartbeatResponse } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import {
  JobOutcome,
  type JobResult,
  JobSpec,
  JobState,
  JobStatistics,
  StartTrouble,
} from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { createMetrics } from '../../src/metrics.js';
import { BotSession } from '../../src/state/heartbeat/session.js';
import { createState, type State } from '../../src/state/state.js';
import { putArtifact } from '../../src/store/ops/corpus/put-artifact.js';
import { getJob } from '../../src/store/ops/jobs/get-job.js';
import type { Store } from '../../src/store/store.js';
import { openStore, testContext } from '../harness.js';
import { inProcess } from '../in-process.js';
import { SettlingStore } from '../settling-store.js';
import { target } from '../store/inputs.js';
import { patientStore, VirtualClock } from '../virtual-clock.js';
import { forAtMost, replaying } from './replaying.js';

/**
 * Random schedules of a fleet: bots that come, go, vanish, forget, refuse, repeat
 * themselves and fall silent, jobs that are made, cancelled, paused and revived, a
 * master that is stopped or killed and started again, and time that passes; one
 * after the other, or several at once. The rules are the real ones, over a real
 * store; only time is turned by hand, and what would be streams are calls.
 */

const ttlMs = 30_000;
const config = loadMasterConfig({
  environment: {
    PANDAFUZZ_JOBS_RETRY_DELAY: '1s',
    PANDAFUZZ_LEASES_TTL: '30s',
    ...patientStore,
  },
});

/**
 * The life of one master: its clock and its way to the store. Killed, no timer of
 * its fires any more, it writes nothing, and hears nothing of what it has written.
 */
class Life {
  #isOver = false;
  readonly #timers = new Set<Timer>();
  readonly clock: Clock;
  readonly store: Store;

  constructor(time: VirtualClock, store: Store) {
    this.clock = {
      now: () => time.now(),
      monotonic: () => time.monotonic(),
      schedule: (delayMs, fire) => {
        if (this.#isOver) return { cancel: () => {} };
        const timer = time.schedule(delayMs, () => {
          this.#timers.delete(timer);
          fire();
        });
        this.#timers.add(timer);
        return timer;
      },
    };
    const whileAlive = async <T>(ask: () => Promise<T>): Promise<T> => {
      this.#expectAlive();
      const answer = await ask();
      this.#expectAlive();
      return answer;
    };
    const asked: Pick<Store, 'run' | 'runEach'> = {
      run: (...question) => whileAlive(() => store.run(...question)),
      runEach: (...question) => whileAlive(() => store.runEach(...question)),
    };
    this.store = new Proxy(store, {
      get: (real, property) => Reflect.get(property in asked ? asked : real, property),
    });
  }

  kill(): void {
    this.#isOver = true;
    for (const timer of this.#timers) timer.cancel();
  }

  #expectAlive(): void {
    if (this.#isOver) throw new Error('this master was killed');
  }
}

/** A bot as it might be: what it holds, what it was offered, what it has ever said. */
class Bot {
  session: BotSession | undefined;
  /** The stream it listens to; what comes on an earlier one does not reach it. */
  stream: object = {};
  isComing = false;
  sequence = 0;
  offered: Lease[] = [];
  held: Lease[] = [];
  said: { lease: Lease; outcome: JobOutcome }[] = [];

  constructor(readonly id: string) {}
}

const keyOf = ({ jobId, fence }: Lease) => `${jobId}/${fence}`;

class World {
  readonly clock = new VirtualClock();
  readonly bots: Bot[] = [];
  readonly jobs: string[] = [];
  /** Every lease ever handed out, by "job/fence". */
  readonly #leases = new Set<string>();
  /** The highest fence of a job that anybody has seen. */
  readonly #fences = new Map<string, number>();
  /** Jobs whose completion was acknowledged. */
  readonly #completed = new Set<string>();
  /** Leases whose failure was acknowledged: each has used up an attempt. */
  readonly #charged = new Map<string, Lease>();
  /** Leases that somebody failed or refused: no more than these have. */
  readonly #blamed = new Map<string, Lease>();
  /** Up to which fence a job's attempts were forgiven, when it was revived. */
  readonly #forgiven = new Map<string, number>();
  /** What bots have reported of each lease. */
  readonly #executions = new Map<string, number>();
  readonly #ctx: RequestContext;
  #life!: Life;
  state!: State;

  constructor(
    ctx: RequestContext,
    private readonly settling: SettlingStore,
  ) {
    this.#ctx = ctx;
  }

  async begin(): Promise<void> {
    await this.#start();
    for (let i = 0; i < 4; i++) {
      const request = { name: newId(), engines: ['libfuzzer'], slots: 2, labels: {}, version: '' };
      const offer = { ...request, memoryMib: 0, diskMib: 0, engineDetails: [] };
      const { id } = await this.state.bots.register(this.#ctx, offer);
      this.bots.push(new Bot(id));
    }
  }

  async #start(): Promise<void> {
    this.#life = new Life(this.clock, this.settling.store);
    this.state = createState({
      store: this.#life.store,
      config,
      clock: this.#life.clock,
      log: silentLog,
      metrics: createMetrics(),
      newId,
      version: 'test',
    });
    await this.state.start();
  }

  async restart(isKilled: boolean): Promise<void> {
    for (const bot of this.bots) isKilled ? this.vanish(bot) : this.leave(bot);
    if (isKilled) this.#life.kill();
    else await this.end();
    await this.settled(); // what was under way is on disk, or is not
    await this.#start();
  }

  async end(): Promise<void> {
    await this.state.stop();
  }

  async create(spec: { priority: number; campaign: string; maxAttempts: number }): Promise<void> {
    const whole = JobSpec.create({ engine: 'libfuzzer', targetSha256: target.sha256, ...spec });
    const made = this.state.jobs.create(this.#ctx, { spec: whole, requestId: '' });
    this.jobs.push((await made).id);
  }

  /** What an operator wants of a job; it may come too late for that. */
  async want(wish: 'cancel' | 'pause' | 'resume' | 'retry', jobId: string): Promise<void> {
    const fence = this.#fences.get(jobId) ?? 0;
    const done = this.state.jobs[wish](this.#ctx, jobId).then(() => true);
    const isDone = await done.catch(() => false);
    if (isDone && wish === 'retry') this.#forgiven.set(jobId, fence);
  }

  /** A new stream: with what the bot holds, or after it has forgotten everything. */
  async come(bot: Bot, isForgetful: boolean): Promise<void> {
    if (bot.isComing) return;
    bot.isComing = true;
    if (isForgetful) bot.held = [];
    const previous = bot.session;
    this.vanish(bot);
    bot.sequence = 0;
    const { stream } = bot;
    const hear = ({ message }: HeartbeatResponse) => this.#heard(bot, stream, message);
    const outgoing = { send: hear, sendLatest: hear, fail: () => {}, isOver: () => false };
    const freeSlots = 2 - bot.held.length;
    const hello = { botId: bot.id, instanceId: bot.id, freeSlots, leases: bot.held };
    const opening = BotSession.open(this.#ctx, hello, this.state.sessionParts, outgoing);
    bot.session = await opening.catch(() => undefined); // its master may have been killed
    bot.isComing = false;
    previous?.end();
  }

  leave(bot: Bot): void {
    bot.session?.end();
    this.vanish(bot);
  }

  /** The bot has left, and the master does not know. */
  vanish(bot: Bot): void {
    bot.session = undefined;
    bot.offered = [];
    bot.stream = {};
  }

  say(bot: Bot, message: HeartbeatRequest['message']): void {
    if (bot.session && !bot.session.gone) bot.session.hear({ message });
  }

  beat(bot: Bot): void {
    if (!bot.session) return;
    const value = {
      sequence: ++bot.sequence,
      freeSlots: 2 - bot.held.length,
      resources: undefined,
      leases: bot.held.map((lease) => {
        const executions = (this.#executions.get(keyOf(lease)) ?? 0) + 10;
        this.#executions.set(keyOf(lease), executions);
        return { lease, phase: 2, statistics: JobStatistics.create({ executions }) };
      }),
    };
    this.say(bot, { $case: 'beat', value });
  }

  take(bot: Bot): void {
    const lease = bot.offered.shift();
    if (!lease) return;
    bot.held.push(lease);
    this.say(bot, { $case: 'leaseAck', value: { lease } });
  }

  refuse(bot: Bot): void {
    const lease = bot.offered.shift();
    if (!lease) return;
    this.#blamed.set(keyOf(lease), lease);
    this.say(bot, { $case: 'leaseReject', value: { lease, reason: 'no' } });
  }

  /** AssignJob, by the one bot that has no stream. */
  async pull(bot: Bot): Promise<void> {
    const request = { botId: bot.id, waitMs: 0, leaseTtlMs: 0 };
    const assignment = await this.state.pull.assign(this.#ctx, request).catch(() => undefined);
    if (!assignment?.lease) return;
    this.#handedOut(assignment.lease);
    bot.held.push(assignment.lease);
  }

  async finish(bot: Bot, outcome: JobOutcome, trouble?: StartTrouble): Promise<void> {
    const lease = bot.held.shift();
    if (!lease) return;
    bot.said.push({ lease, outcome });
    // Each bot lacks something else: none of these targets is to blame.
    const start = trouble === undefined ? {} : { trouble, cause: bot.id };
    await this.#done(bot, lease, outcome, start);
  }

  /** Says again what it said before, however long ago. */
  async repeat(bot: Bot, pick: number): Promise<void> {
    const again = bot.said[pick % Math.max(bot.said.length, 1)];
    if (again) await this.#done(bot, again.lease, again.outcome);
  }

  pass(ms: number): void {
    this.clock.advance(ms);
  }

  settled(): Promise<void> {
    return this.settling.settled();
  }

  /** Nothing that was promised is broken. */
  async check(): Promise<void> {
    for (const jobId of this.jobs) {
      const row = await this.settling.store.run(this.#ctx, getJob, jobId);
      if (!row) throw new Error('a job is gone');
      expect(row.fence).toBeGreaterThanOrEqual(this.#fences.get(jobId) ?? 0);
      this.#fences.set(jobId, row.fence);
      if (this.#completed.has(jobId)) expect(row.state).toBe('completed');
      const used = row.failed_attempts + row.refused_attempts;
      expect(used).toBeGreaterThanOrEqual(this.#countOf(this.#charged, jobId));
      expect(used).toBeLessThanOrEqual(this.#countOf(this.#blamed, jobId));
      const live = this.state.sessionParts.leases.ofJob(jobId);
      expect(live?.fence).toBe(
        row.state === 'assigned' || row.state === 'running' ? row.fence : undefined,
      );
      await this.#checkSum(jobId);
      if (live) {
        const isWanted = (row.cancel_requested_at ?? row.pause_requested_at) !== null;
        expect(live.stopRequested).toBe(isWanted);
      }
    }
  }

  /** A job's figures are those of its attempts, and none reports more than its bot did. */
  async #checkSum(jobId: string): Promise<void> {
    const { job, attempts } = await this.state.jobs.get(this.#ctx, jobId);
    const parts = attempts.map(({ statistics }) => statistics?.executions ?? 0);
    const sum = parts.reduce((total, part) => total + part, 0);
    expect(job.statistics?.executions ?? 0).toBe(sum);
    for (const [index, { fence }] of attempts.entries()) {
      const reported = this.#executions.get(keyOf({ jobId, attempt: 1, fence })) ?? 0;
      expect(parts[index]).toBeLessThanOrEqual(reported);
    }
  }

  /** With one healthy bot and time enough, everything comes to its end. */
  async expectAllEnd(): Promise<void> {
    const healthy = this.bots[0] as Bot;
    for (const other of this.bots.slice(1)) this.leave(other);
    // Restarted, it gets back what it could not start: the master knows the process before.
    await this.come(healthy, true);
    this.leave(healthy);
    await this.come(healthy, true);
    for (const jobId of this.jobs) await this.want('resume', jobId);
    for (let turn = 0; turn < 200; turn++) {
      await this.settled();
      while (healthy.offered.length > 0) this.take(healthy);
      while (healthy.held.length > 0) await this.finish(healthy, JobOutcome.COMPLETED);
      await this.settled();
      this.beat(healthy);
      this.pass(2000);
      if (turn % 10 === 9 && (await this.#areAllOver())) return;
    }
    expect(await this.#areAllOver()).toBe(true);
  }

  async #areAllOver(): Promise<boolean> {
    for (const jobId of this.jobs) {
      const row = await this.settling.store.run(this.#ctx, getJob, jobId);
      if (row?.finished_at === null) return false;
    }
    return true;
  }

  #countOf(leases: ReadonlyMap<string, Lease>, jobId: string): number {
    const forgiven = this.#forgiven.get(jobId) ?? 0;
    return [...leases.values()].filter((one) => one.jobId === jobId && one.fence > forgiven).length;
  }

  async #done(
    bot: Bot,
    lease: Lease,
    outcome: JobOutcome,
    start: Pick<JobResult, 'trouble' | 'cause'> = {},
  ): Promise<void> {
    if (outcome === JobOutcome.FAILED) this.#blamed.set(keyOf(lease), lease);
    const result = { outcome, message: 'because', statistics: undefined, ...start };
    if (bot !== this.bots.at(-1)) {
      this.say(bot, { $case: 'jobDone', value: { lease, result } });
      return;
    }
    const done = this.state.jobs.complete(this.#ctx, lease, result);
    const receipt = await done.catch(() => undefined);
    if (receipt) this.#receipt(bot, lease, receipt.state);
  }

  #heard(bot: Bot, stream: object, message: HeartbeatResponse['message']): void {
    if (message?.$case === 'assign') this.#handedOut(message.value.assignment?.lease as Lease);
    if (stream !== bot.stream) return;
    switch (message?.$case) {
      case 'assign':
        bot.offered.push(message.value.assignment?.lease as Lease);
        break;
      case 'jobDoneAck':
        if (message.value.outcome?.$case === 'receipt')
          this.#receipt(bot, message.value.lease as Lease, message.value.outcome.value.state);
        break;
      case 'welcome':
        for (const { lease, keep } of message.value.leases) if (!keep) this.#drop(bot, lease);
        break;
      case 'beatAck':
        for (const { lease, remainingTtlMs } of message.value.leases) {
          if (remainingTtlMs === 0) this.#drop(bot, lease);
        }
        break;
      default:
    }
  }

  /** No lease is ever handed out twice, and fences only grow. */
  #handedOut(lease: Lease): void {
    expect(this.#leases.has(keyOf(lease))).toBe(false);
    expect(lease.fence).toBeGreaterThan(this.#fences.get(lease.jobId) ?? 0);
    this.#leases.add(keyOf(lease));
    this.#fences.set(lease.jobId, lease.fence);
  }

  #receipt(bot: Bot, lease: Lease, state: JobState): void {
    if (state === JobState.COMPLETED) this.#completed.add(lease.jobId);
    const told = bot.said.find((one) => keyOf(one.lease) === keyOf(lease));
    if (told?.outcome === JobOutcome.FAILED) this.#charged.set(keyOf(lease), lease);
  }

  #drop(bot: Bot, lease: Lease | undefined): void {
    if (lease) bot.held = bot.held.filter((one) => keyOf(one) !== keyOf(lease));
  }
}

type Action = (world: World) => void | Promise<void>;

const withBot = (act: (world: World, bot: Bot) => void | Promise<void>) =>
  fc.nat(2).map(
    (which): Action =>
      (world) =>
        act(world, world.bots[which] as Bot),
  );

const outcome = fc.constantFrom(
  JobOutcome.COMPLETED,
  JobOutcome.COMPLETED,
  JobOutcome.FAILED,
  JobOutcome.INFRASTRUCTURE,
  JobOutcome.CANCELLED,
);

const wish = fc.constantFrom('cancel', 'cancel', 'pause', 'pause', 'resume', 'resume', 'retry');

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        priority: fc.nat(2),
        campaign: fc.constantFrom('a', 'b'),
        maxAttempts: fc.integer({ min: 1, max: 3 }),
      })
      .map(
        (spec): Action =>
          (world) =>
            world.create(spec),
      ),
  },
  { weight: 3, arbitrary: withBot((world, bot) => world.come(bot, false)) },
  { weight: 1, arbitrary: withBot((world, bot) => world.come(bot, true)) },
  { weight: 1, arbitrary: withBot((world, bot) => world.leave(bot)) },
  { weight: 1, arbitrary: withBot((world, bot) => world.vanish(bot)) },
  { weight: 3, arbitrary: withBot((world, bot) => world.beat(bot)) },
  { weight: 5, arbitrary: withBot((world, bot) => world.take(bot)) },
  { weight: 1, arbitrary: withBot((world, bot) => world.refuse(bot)) },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.nat(3), outcome).map(
      ([which, how]): Action =>
        (world) =>
          world.finish(world.bots[which] as Bot, how),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(3), fc.constantFrom(StartTrouble.MACHINE, StartTrouble.MISSING)).map(
      ([which, trouble]): Action =>
        (world) =>
          world.finish(world.bots[which] as Bot, JobOutcome.INFRASTRUCTURE, trouble),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(3), fc.nat(9)).map(
      ([which, pick]): Action =>
        (world) =>
          world.repeat(world.bots[which] as Bot, pick),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(wish, fc.nat(9)).map(
      ([wanted, pick]): Action =>
        async (world) => {
          const jobId = world.jobs[pick % Math.max(world.jobs.length, 1)];
          if (jobId) await world.want(wanted, jobId);
        },
    ),
  },
  { weight: 2, arbitrary: fc.constant<Action>((world) => world.pull(world.bots[3] as Bot)) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(1000, 11_000, ttlMs + 1000).map(
      (ms): Action =>
        (world) =>
          world.pass(ms),
    ),
  },
);

/** Several things that happen at once; or the end of a master, which happens alone. */
const moment: fc.Arbitrary<readonly Action[]> = fc.oneof(
  { weight: 12, arbitrary: fc.array(action, { minLength: 1, maxLength: 1 }) },
  { weight: 12, arbitrary: fc.array(action, { minLength: 2, maxLength: 5 }) },
  {
    weight: 1,
    arbitrary: fc
      .boolean()
      .map((isKilled): readonly Action[] => [(world) => world.restart(isKilled)]),
  },
);

/** More of them: SCHEDULES=3000 make test ONLY=dist/test/property/schedules.test.js */
const runs = Number(process.env['SCHEDULES'] ?? 120);
const limitMs = Math.max(runs * 100, 30_000);

test(
  'whatever bots, operators and the master do, and in whatever order, the leases hold',
  async () => {
    const ctx = testContext(3 * limitMs);
    const settling = new SettlingStore(await openStore({ connect: inProcess }));
    await settling.store.run(ctx, putArtifact, target);
    let world: World | undefined;
    await fc.assert(
      fc.asyncProperty(
        fc.array(moment, { minLength: 10, maxLength: 40 }),
        forAtMost(limitMs, async (moments) => {
          await world?.end(); // of a story that failed
          world = new World(ctx, settling);
          await world.begin();
          for (const acts of moments) {
            const before = world;
            await Promise.all(acts.map((act) => act(before)));
            await world.settled();
            await world.check();
          }
          await world.expectAllEnd();
          await world.check();
          await world.end();
          world = undefined;
        }),
      ),
      { ...replaying(), numRuns: runs },
    );
  },
  3 * limitMs,
);
