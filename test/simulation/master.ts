import { loadMasterConfig } from '../../src/config/load.js';
import type { Clock } from '../../src/core/clock.js';
import type { RequestContext } from '../../src/core/context.js';
import { messageOf } from '../../src/core/errors.js';
import { silentLog } from '../../src/core/log.js';
import { signatureVersion } from '../../src/crash/signature.js';
import type { HeartbeatRequest, HeartbeatResponse } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { createMetrics, type Metrics } from '../../src/metrics.js';
import type { Adapter } from '../../src/rpc/adapter.js';
import { botHandlers } from '../../src/rpc/handlers/bot.js';
import type { SendQueue } from '../../src/rpc/streams/send-queue.js';
import { type ReportToRead, readReport } from '../../src/state/crashes/reading/reading.js';
import { createState, type State } from '../../src/state/state.js';
import { MemoryStore } from './memory-store.js';
import type { Owner } from './timeline.js';
import type { Wire } from './wire.js';
import type { World } from './world.js';

export const times = { ttlMs: 3000, heartbeatMs: 1000, offerMs: 1000, callMs: 2000 } as const;

const config = loadMasterConfig({
  environment: {
    PANDAFUZZ_LEASES_TTL: `${times.ttlMs}ms`,
    PANDAFUZZ_LEASES_HEARTBEAT_INTERVAL: `${times.heartbeatMs}ms`,
    PANDAFUZZ_LEASES_OFFER_TIMEOUT: `${times.offerMs}ms`,
    PANDAFUZZ_LEASES_FLUSH_INTERVAL: '1700ms',
    PANDAFUZZ_JOBS_RETRY_DELAY: '500ms',
    PANDAFUZZ_JOBS_MAX_RETRY_DELAY: '4s',
    PANDAFUZZ_TIMEOUTS_DATABASE_OP: `${times.callMs}ms`,
    PANDAFUZZ_CRASHES_REPRODUCE: 'off',
    PANDAFUZZ_CRASHES_VERIFY: 'off',
    PANDAFUZZ_CORPUS_MERGE: 'off',
    PANDAFUZZ_RETENTION_SWEEP_INTERVAL: '13s',
    PANDAFUZZ_RETENTION_SAMPLE_INTERVAL: '7s',
  },
});

/** Real instruments, of all masters together; nobody scrapes them. */
const unread = {
  watchStore() {},
  watchCounters() {},
  watchFleet() {},
  watchNotifications() {},
  watchFuzzing() {},
  watchMaster() {},
};
let instruments: Metrics | undefined;
export function metrics(): Metrics {
  instruments ??= { ...createMetrics(), ...unread };
  return instruments;
}

/** The reader of reports of this version, without its threads. */
const reader = {
  version: signatureVersion,
  read: async (report: ReportToRead) => readReport(report),
  close: async () => {},
};

/** A handler of heartbeat streams, without the server that is around it elsewhere. */
type Serve = (
  receive: (hear: (request: HeartbeatRequest) => Promise<void> | void) => Promise<void>,
  ctx: RequestContext,
  queue: Pick<SendQueue<HeartbeatResponse>, 'send' | 'sendLatest'>,
) => Promise<void>;
const plainly: unknown = {
  unary: (_: string, handle: unknown) => handle,
  bidiStream: (serve: unknown) => serve,
};

/** One process of the master, from its start to its stop or kill. */
export class Master implements Owner {
  isOver = false;
  frozenUntil = 0;
  /** It takes calls and streams. */
  isServing = false;
  readonly clock: Clock;
  readonly memory: MemoryStore;
  readonly state: State;
  readonly wires = new Set<Wire>();
  readonly heartbeat: Serve;
  readonly startedAt: number;

  constructor(private readonly world: World) {
    const { timeline, weather, disk } = world;
    this.startedAt = timeline.now;
    const random = world.random.fork(`master ${timeline.now}`);
    this.clock = timeline.clockOf(this, 'master');
    this.memory = new MemoryStore({
      disk,
      timeline,
      weather,
      random: random.fork('store'),
      owner: this,
      metrics: metrics(),
    });
    this.state = createState({
      store: this.memory.store,
      config,
      clock: this.clock,
      log: silentLog,
      metrics: metrics(),
      newId: () => world.newId(),
      version: 'simulated',
      reader,
      random: random.next,
    });
    const heartbeat: unknown = botHandlers(this.state, plainly as Adapter).heartbeat;
    this.heartbeat = heartbeat as Serve;
    world.plant?.master?.(this.state);
    weather.wasFelt();
    void this.#start();
  }

  async #start(): Promise<void> {
    const { world } = this;
    try {
      await this.state.start();
      this.isServing = true;
      world.timeline.note('master: serves');
    } catch (error) {
      // As a real one: it ends with an error, and is started again.
      world.timeline.note(`master: cannot start: ${messageOf(error)}`);
      this.kill();
      world.startLater();
    }
  }

  /** Nothing of it happens any more. */
  kill(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.isServing = false;
    this.memory.kill();
    this.world.weather.wasFelt();
    for (const wire of [...this.wires]) wire.lost();
  }

  /** As on SIGTERM: streams are told and end, then everything stops. */
  async stop(): Promise<void> {
    if (!this.isServing) return this.kill();
    const { world } = this;
    this.isServing = false;
    this.state.sessionParts.sessions.goAway('the master is shutting down', 100);
    await new Promise<void>((resolve) =>
      world.timeline.after(50, 'master: ends streams', resolve, this),
    );
    for (const wire of [...this.wires]) wire.hangUp();
    await this.state.stop();
    world.timeline.note('master: stopped');
    this.isOver = true;
    world.weather.wasFelt();
  }
}
