import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { loadMasterConfig } from '../../src/config/load.js';
import { newId } from '../../src/core/ids.js';
import { silentLog } from '../../src/core/log.js';
import type { HeartbeatRequest, HeartbeatResponse } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { JobOutcome, JobSpec, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { createMetrics } from '../../src/metrics.js';
import { BotSession } from '../../src/state/session.js';
import { createState, type State } from '../../src/state/state.js';
import { getJob } from '../../src/store/ops/get-job.js';
import { putArtifact } from '../../src/store/ops/put-artifact.js';
import { openStore, testContext } from '../harness.js';
import { SettlingStore } from '../settling-store.js';
import { target } from '../store/inputs.js';
import { VirtualClock } from '../virtual-clock.js';
import { replaying } from './replaying.js';

/**
 * Random schedules of a fleet: bots that come, go, forget, refuse, repeat
 * themselves and fall silent, jobs that are made and cancelled, a master that
 * is restarted, and time that passes. The rules are the real ones, over a real
 * store; only time is turned by hand, and what would be streams are calls.
 */

const ttlMs = 30_000;
const config = loadMasterConfig({
  environment: { PANDAFUZZ_JOBS_RETRY_DELAY: '1s', PANDAFUZZ_LEASES_TTL: '30s' },
});

/** A bot as it might be: what it holds, what it was offered, what it has ever said. */
class Bot {
  session: BotSession | undefined;
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
  /** Every lease ever offered, by "job/fence": by whom. */
  readonly offers = new Map<string, string>();
  readonly fences = new Map<string, number>();
  /** Jobs whose completion was acknowledged. */
  readonly completed = new Set<string>();
  /** Attempts that somebody failed or refused, as the master has acknowledged. */
  readonly charged = new Map<string, Set<string>>();
  readonly #refusals: Lease[] = [];
  state!: State;

  constructor(private readonly busy: SettlingStore) {}

  async begin(): Promise<void> {
    this.state = createState({
      ...{ store: this.busy.store, config, clock: this.clock, log: silentLog },
      ...{ metrics: createMetrics(), newId, version: 'test' },
    });
    await this.#through(this.state.start());
    for (let i = 0; i < 3; i++) {
      const request = { name: newId(), engines: ['libfuzzer'], slots: 2, labels: {}, version: '' };
      const made = this.state.bots.register(testContext(), {
        ...request,
        memoryMib: 0,
        diskMib: 0,
      });
      this.bots.push(new Bot((await this.#through(made)).id));
    }
  }

  async restart(): Promise<void> {
    for (const bot of this.bots) this.leave(bot);
    await this.end();
    this.state = createState({
      ...{ store: this.busy.store, config, clock: this.clock, log: silentLog },
      ...{ metrics: createMetrics(), newId, version: 'test' },
    });
    await this.#through(this.state.start());
  }

  end(): Promise<void> {
    return this.#through(this.state.stop());
  }

  async create(spec: { priority: number; campaign: string; maxAttempts: number }): Promise<void> {
    const whole = JobSpec.create({ engine: 'libfuzzer', targetSha256: target.sha256, ...spec });
    const made = this.state.jobs.create(testContext(), { spec: whole, requestId: '' });
    this.jobs.push((await this.#through(made)).id);
  }

  async cancel(jobId: string): Promise<void> {
    await this.#through(this.state.jobs.cancel(testContext(), jobId).catch(() => {}));
  }

  /** A new stream: with what the bot holds, or after it has forgotten everything. */
  async come(bot: Bot, isForgetful: boolean): Promise<void> {
    if (isForgetful) bot.held = [];
    bot.offered = [];
    bot.sequence = 0;
    const previous = bot.session;
    const outgoing = {
      send: ({ message }: HeartbeatResponse) => this.#heard(bot, message),
      sendLatest: ({ message }: HeartbeatResponse) => this.#heard(bot, message),
      fail: () => {},
      isOver: () => false,
    };
    const hello = {
      ...{ botId: bot.id, instanceId: newId(), freeSlots: 2 - bot.held.length },
      leases: bot.held,
    };
    const { sessionParts } = this.state;
    bot.session = await this.#through(
      BotSession.open(testContext(), hello, sessionParts, outgoing),
    );
    previous?.end();
  }

  leave(bot: Bot): void {
    bot.session?.end();
    bot.session = undefined;
  }

  say(bot: Bot, message: HeartbeatRequest['message']): void {
    if (bot.session && !bot.session.gone) bot.session.hear({ message });
  }

  beat(bot: Bot): void {
    if (!bot.session) return;
    const value = {
      ...{ sequence: ++bot.sequence, freeSlots: 2 - bot.held.length, resources: undefined },
      leases: bot.held.map((lease) => ({ lease, phase: 2, statistics: undefined })),
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
    this.#refusals.push(lease);
    this.say(bot, { $case: 'leaseReject', value: { lease, reason: 'no' } });
  }

  finish(bot: Bot, outcome: JobOutcome): void {
    const lease = bot.held.shift();
    if (!lease) return;
    bot.said.push({ lease, outcome });
    this.#done(bot, lease, outcome);
  }

  /** Says again what it said before, however long ago. */
  repeat(bot: Bot, pick: number): void {
    const again = bot.said[pick % Math.max(bot.said.length, 1)];
    if (again) this.#done(bot, again.lease, again.outcome);
  }

  pass(ms: number): void {
    this.clock.advance(ms);
  }

  settled(): Promise<void> {
    return this.busy.settled();
  }

  /** Nothing that was promised is broken. */
  async check(): Promise<void> {
    for (const jobId of this.jobs) {
      const row = await this.busy.store.run(testContext(), getJob, jobId);
      if (!row) throw new Error('a job is gone');
      expect(row.fence).toBe(this.fences.get(jobId) ?? 0);
      if (this.completed.has(jobId)) expect(row.state).toBe('completed');
      const charged = row.failed_attempts + row.refused_attempts;
      const acknowledged = this.charged.get(jobId)?.size ?? 0;
      const refused = this.#refusals.filter((lease) => lease.jobId === jobId).length;
      expect(charged).toBeGreaterThanOrEqual(acknowledged);
      expect(charged).toBeLessThanOrEqual(acknowledged + refused);
      const live = this.state.sessionParts.leases.ofJob(jobId);
      if (live) expect(live.fence).toBe(row.fence);
      expect(live !== undefined).toBe(row.state === 'assigned' || row.state === 'running');
    }
  }

  /** With one healthy bot and time enough, everything comes to its end. */
  async expectAllEnd(): Promise<void> {
    const healthy = this.bots[0] as Bot;
    for (const other of this.bots.slice(1)) this.leave(other);
    await this.come(healthy, true);
    for (let turn = 0; turn < 200; turn++) {
      await this.settled();
      while (healthy.offered.length > 0) this.take(healthy);
      while (healthy.held.length > 0) this.finish(healthy, JobOutcome.COMPLETED);
      await this.settled();
      this.beat(healthy);
      this.pass(2000);
      if (turn % 10 === 9 && (await this.#areAllOver())) return;
    }
    expect(await this.#areAllOver()).toBe(true);
  }

  async #areAllOver(): Promise<boolean> {
    for (const jobId of this.jobs) {
      const row = await this.busy.store.run(testContext(), getJob, jobId);
      if (row?.finished_at === null) return false;
    }
    return true;
  }

  #done(bot: Bot, lease: Lease, outcome: JobOutcome): void {
    const result = { outcome, message: 'because', statistics: undefined };
    this.say(bot, { $case: 'jobDone', value: { lease, result } });
  }

  #heard(bot: Bot, message: HeartbeatResponse['message']): void {
    switch (message?.$case) {
      case 'assign':
        this.#offer(bot, message.value.assignment?.lease as Lease);
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

  #offer(bot: Bot, lease: Lease): void {
    // No lease is ever handed out twice, and fences only grow.
    expect(this.offers.has(keyOf(lease))).toBe(false);
    expect(lease.fence).toBeGreaterThan(this.fences.get(lease.jobId) ?? 0);
    this.offers.set(keyOf(lease), bot.id);
    this.fences.set(lease.jobId, lease.fence);
    bot.offered.push(lease);
  }

  #receipt(bot: Bot, lease: Lease, state: JobState): void {
    if (state === JobState.COMPLETED) this.completed.add(lease.jobId);
    const told = bot.said.find((one) => keyOf(one.lease) === keyOf(lease));
    if (told?.outcome !== JobOutcome.FAILED) return;
    const attempts = this.charged.get(lease.jobId) ?? new Set();
    this.charged.set(lease.jobId, attempts.add(keyOf(lease)));
  }

  #drop(bot: Bot, lease: Lease | undefined): void {
    if (lease) bot.held = bot.held.filter((one) => keyOf(one) !== keyOf(lease));
  }

  #through<T>(work: Promise<T>): Promise<T> {
    return work;
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
  ...[JobOutcome.COMPLETED, JobOutcome.COMPLETED, JobOutcome.FAILED],
  ...[JobOutcome.INFRASTRUCTURE, JobOutcome.CANCELLED],
);

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
  { weight: 3, arbitrary: withBot((world, bot) => world.beat(bot)) },
  { weight: 5, arbitrary: withBot((world, bot) => world.take(bot)) },
  { weight: 1, arbitrary: withBot((world, bot) => world.refuse(bot)) },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.nat(2), outcome).map(
      ([which, how]): Action =>
        (world) =>
          world.finish(world.bots[which] as Bot, how),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(2), fc.nat(9)).map(
      ([which, pick]): Action =>
        (world) =>
          world.repeat(world.bots[which] as Bot, pick),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.nat(9).map(
      (pick): Action =>
        async (world) => {
          const jobId = world.jobs[pick % Math.max(world.jobs.length, 1)];
          if (jobId) await world.cancel(jobId);
        },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(1000, 11_000, ttlMs + 1000).map(
      (ms): Action =>
        (world) =>
          world.pass(ms),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Action>((world) => world.restart()) },
);

/** More of them: SCHEDULES=3000 make test ONLY=dist/test/property/schedules.test.js */
const runs = Number(process.env['SCHEDULES'] ?? 300);
const limitMs = Math.max(runs * 100, 30_000);

test(
  'whatever bots, operators and the master do, and in whatever order, the leases hold',
  async () => {
    const busy = new SettlingStore(await openStore({ readers: 1 }));
    await busy.store.run(testContext(), putArtifact, target);
    let world: World | undefined;
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 10, maxLength: 60 }), async (actions) => {
        await world?.end(); // of a story that failed
        world = new World(busy);
        await world.begin();
        for (const act of actions) {
          await act(world);
          await world.settled();
          await world.check();
        }
        await world.expectAllEnd();
        await world.check();
        await world.end();
        world = undefined;
      }),
      { ...replaying(), numRuns: runs, interruptAfterTimeLimit: limitMs },
    );
  },
  3 * limitMs,
);
