import type { ClientDuplexStream } from '@grpc/grpc-js';
import { status as Code } from '@grpc/grpc-js';
import { Session, type SessionEnd } from '../../src/bot/line/session.js';
import { silentLog } from '../../src/core/log.js';
import {
  BotResources,
  type HeartbeatRequest,
  type HeartbeatResponse,
} from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { call } from './calls.js';
import { Findings } from './findings.js';
import { type Machine, newStream } from './machine.js';
import type { Random } from './random.js';
import { Runs } from './runs.js';
import type { Owner } from './timeline.js';
import type { Wire } from './wire.js';
import type { World } from './world.js';

/**
 * One process of a bot: the bot's real heartbeat session, over runs that only take time. It
 * connects again after each end of its stream. What it has found outlives it, its runs do not.
 */
export class BotProcess implements Owner {
  isOver = false;
  frozenUntil = 0;
  readonly name: string;
  readonly instanceId: string;
  readonly random: Random;
  readonly runs: Runs;
  wire: Wire | undefined;
  #session: Session | undefined;
  #botId = '';

  constructor(
    readonly world: World,
    readonly machine: Machine,
  ) {
    this.instanceId = world.newId();
    this.name = machine.name;
    this.random = machine.random.fork(`process ${++machine.processes}`);
    const findings = new Findings(world, this, machine.spool);
    this.runs = new Runs(world, this, findings, {
      told: (done) => this.#session?.tell(done),
      changed: () => this.#session?.beat(),
    });
    findings.send();
    void this.#connect();
  }

  kill(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.wire?.reset();
  }

  async #connect(): Promise<void> {
    try {
      if (!this.#botId) this.#botId = await this.#register();
    } catch {
      this.#later(this.random.between(200, 1500));
      return;
    }
    const { world } = this;
    // With no master there, the connection waits for one, and looks again.
    const wire = newStream(world, this);
    if (!wire) return this.#later(this.random.between(100, 600));
    this.wire = wire;
    const ours: unknown = wire;
    const stream = ours as ClientDuplexStream<HeartbeatRequest, HeartbeatResponse>;
    this.#session = new Session(stream, this.runs, {
      identity: { botId: this.#botId, instanceId: this.instanceId },
      resources: () => BotResources.create(),
      onWelcome: () => {},
      log: silentLog,
      clock: world.timeline.clockOf(this, this.name),
    });
    const end = await this.#session.ended;
    this.#ended(end);
  }

  #ended({ code, reason, reconnectAfterMs }: SessionEnd): void {
    this.#session = undefined;
    this.wire = undefined;
    if (code === Code.NOT_FOUND || reason === 'BOT_IS_LIVE') this.#botId = '';
    this.#later(reconnectAfterMs ?? this.random.between(50, 1000));
  }

  #later(delayMs: number): void {
    const { timeline } = this.world;
    timeline.after(delayMs, `${this.name}: connects`, () => void this.#connect(), this);
  }

  async #register(): Promise<string> {
    const { identity, name, slots, labels } = this.machine;
    const request = {
      name,
      engines: ['libfuzzer'],
      slots,
      labels: { ...labels },
      version: '1',
      memoryMib: 0,
      diskMib: 0,
      engineDetails: [],
      identity,
      instanceId: this.instanceId,
    };
    const { id } = await call(this.world, this, {
      name: 'register',
      timeoutMs: 3000,
      work: (state, ctx) => state.bots.register(ctx, request),
    });
    this.machine.botIds.add(id);
    return id;
  }
}
