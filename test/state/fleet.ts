import { loadMasterConfig } from '../../src/config/load.js';
import { newId } from '../../src/core/ids.js';
import { silentLog } from '../../src/core/log.js';
import type { RegisterBotRequest } from '../../src/gen/pandafuzz/v1/bot_service.js';
import type { HeartbeatRequest, HeartbeatResponse } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { type Job, JobOutcome, JobSpec, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { createMetrics } from '../../src/metrics.js';
import { BotSession, type SessionParts } from '../../src/state/heartbeat/session.js';
import { createState, type State } from '../../src/state/state.js';
import { putArtifact } from '../../src/store/ops/corpus/put-artifact.js';
import type { StoreOptions } from '../../src/store/store.js';
import { atEnd, openStore, testContext } from '../harness.js';
import { inProcess } from '../in-process.js';
import { SettlingStore } from '../settling-store.js';
import { target } from '../store/inputs.js';
import { VirtualClock } from '../virtual-clock.js';

type Heard = NonNullable<HeartbeatResponse['message']>;
type Value<Kind extends Heard['$case']> = Extract<Heard, { $case: Kind }>['value'];

/** A bot on the line: what would be its stream are calls. */
export class Line {
  readonly heard: Heard[] = [];
  /** What its stream ended with. */
  error: Error | undefined;
  session: BotSession | undefined;
  /** Its stream has broken off, and nobody knows it by its session yet. */
  isOver = false;
  #sequence = 0;

  constructor(readonly botId: string) {}

  say(message: HeartbeatRequest['message']): void {
    if (!this.session) throw new Error('its Hello was not answered yet');
    this.session.hear({ message });
  }

  beat(freeSlots: number, leases: readonly Lease[] = []): void {
    const value = {
      sequence: ++this.#sequence,
      freeSlots,
      resources: undefined,
      leases: leases.map((lease) => ({ lease, phase: 2, statistics: undefined })),
    };
    this.say({ $case: 'beat', value });
  }

  accept(lease: Lease): void {
    this.say({ $case: 'leaseAck', value: { lease } });
  }

  reject(lease: Lease): void {
    this.say({ $case: 'leaseReject', value: { lease, reason: 'no room' } });
  }

  done(lease: Lease, outcome = JobOutcome.COMPLETED): void {
    const result = { outcome, message: 'because', statistics: undefined };
    this.say({ $case: 'jobDone', value: { lease, result } });
  }

  /** All messages of this kind so far, taken off what was heard. */
  take<Kind extends Heard['$case']>(kind: Kind): Value<Kind>[] {
    const isOne = (message: Heard): message is Extract<Heard, { $case: Kind }> =>
      message.$case === kind;
    const found = this.heard.filter(isOne);
    this.heard.splice(0, Number.POSITIVE_INFINITY, ...this.heard.filter((one) => !isOne(one)));
    return found.map(({ value }) => value as Value<Kind>);
  }

  /** Leases offered since it was last asked. */
  offers(): Lease[] {
    return this.take('assign').map(({ assignment }) => assignment?.lease as Lease);
  }

  leave(): void {
    this.session?.end();
  }
}

/** The rules of a master over a real store, with a clock that is turned by hand. */
export class Fleet {
  readonly clock = new VirtualClock();
  readonly store;
  state!: State;

  private constructor(private readonly settling: SettlingStore) {
    this.store = settling.store;
  }

  static async open(
    settings: Record<string, string> = {},
    options: Partial<StoreOptions> = {},
  ): Promise<Fleet> {
    const fleet = new Fleet(new SettlingStore(await openStore({ connect: inProcess, ...options })));
    const artifact = { ...target, created_at: fleet.clock.now() };
    await fleet.store.run(testContext(), putArtifact, artifact);
    await fleet.start(settings);
    atEnd(() => fleet.state.stop());
    return fleet;
  }

  /** Of a second master over the same store, once the first is stopped. */
  async start(settings: Record<string, string> = {}): Promise<void> {
    this.state = createState({
      store: this.store,
      clock: this.clock,
      log: silentLog,
      metrics: createMetrics(),
      newId,
      version: 'test',
      config: loadMasterConfig({ environment: settings }),
    });
    await this.state.start();
  }

  settled(): Promise<void> {
    return this.settling.settled();
  }

  /** Time passes, in steps small enough for everything that looks at it. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      this.clock.advance(Math.min(left, 500));
      await this.settled();
    }
  }

  async register(offer: Partial<RegisterBotRequest> = {}): Promise<string> {
    const request = {
      name: newId(),
      engines: ['libfuzzer'],
      slots: 8,
      labels: {},
      version: '',
      memoryMib: 0,
      diskMib: 0,
      engineDetails: [],
      ...offer,
    };
    return (await this.state.bots.register(testContext(), request)).id;
  }

  /** A new stream of a bot, as far as its Hello; it is answered when all has settled. */
  hello(
    botId: string,
    freeSlots: number,
    leases: Lease[] = [],
    parts: SessionParts = this.state.sessionParts,
    /** Streams of one bot are those of one process, unless the test says so. */
    instanceId = botId,
  ): Line {
    const line = new Line(botId);
    const hear = ({ message }: HeartbeatResponse) => {
      if (message) line.heard.push(message);
    };
    const outgoing = {
      send: hear,
      sendLatest: hear,
      isOver: () => line.isOver,
      fail: (error: Error) => {
        line.error = error;
      },
    };
    const hello = { botId, instanceId, freeSlots, leases };
    BotSession.open(testContext(), hello, parts, outgoing).then((session) => {
      line.session = session;
    }, outgoing.fail);
    return line;
  }

  /** A registered bot on the line, with free slots. */
  async bot(freeSlots: number, offer: Partial<RegisterBotRequest> = {}): Promise<Line> {
    const line = this.hello(await this.register(offer), freeSlots);
    await this.settled();
    return line;
  }

  create(spec: Partial<JobSpec> = {}): Promise<Job> {
    const whole = JobSpec.create({ engine: 'libfuzzer', targetSha256: target.sha256, ...spec });
    return this.state.jobs.create(testContext(), { spec: whole, requestId: '' });
  }

  pull(botId: string, waitMs = 0) {
    return this.state.pull.assign(testContext(60_000), { botId, waitMs, leaseTtlMs: 0 });
  }

  /** What is on record of a job, with its state by name. */
  async job(id: string) {
    const { job, attempts } = await this.state.jobs.get(testContext(), id);
    return { ...job, state: JobState[job.state], attempts };
  }
}

/** What came in one turn of the event loop is on its way to the store after it. */
export const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** JobTimeouts in seconds; what is not named has no end. */
export const timeouts = (some: Partial<Record<'start' | 'run' | 'close', number>>) => ({
  scheduleToStartSeconds: some.start ?? 0,
  startToCloseSeconds: some.run ?? 0,
  scheduleToCloseSeconds: some.close ?? 0,
});

/** The one lease that was offered. */
export function only(offers: readonly Lease[]): Lease {
  const [offer] = offers;
  if (!offer || offers.length > 1) throw new Error(`there were ${offers.length} offers`);
  return offer;
}

/** A bot with one slot and a job that it runs. */
export async function running(
  spec: Parameters<Fleet['create']>[0] = {},
  settings: Record<string, string> = {},
) {
  const fleet = await Fleet.open(settings);
  const { id } = await fleet.create(spec);
  const bot = await fleet.bot(1);
  const lease = only(bot.offers());
  bot.accept(lease);
  await fleet.settled();
  return { fleet, id, bot, lease };
}

/** Beats that keep the lease while time passes. */
export async function runFor(fleet: Fleet, bot: Line, lease: Lease, ms: number) {
  for (let left = ms; left > 0; left -= 5000) {
    bot.beat(0, [lease]);
    await fleet.pass(Math.min(left, 5000));
  }
}

export const cancel = (fleet: Fleet, id: string) => fleet.state.jobs.cancel(testContext(), id);
export const pause = (fleet: Fleet, id: string) => fleet.state.jobs.pause(testContext(), id);
export const resume = (fleet: Fleet, id: string) => fleet.state.jobs.resume(testContext(), id);
