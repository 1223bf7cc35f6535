import { status as Code } from '@grpc/grpc-js';
import { OperationContext } from '../../src/core/context.js';
import {
  CancelledError,
  DomainError,
  messageOf,
  ShuttingDownError,
} from '../../src/core/errors.js';
import { silentLog } from '../../src/core/log.js';
import type { HeartbeatRequest, HeartbeatResponse } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { statusOf, verdictOn } from '../../src/rpc/status.js';
import { SqliteFault } from '../../src/store/sqlite/faults.js';
import type { Master } from './master.js';
import type { Random } from './random.js';
import type { Owner } from './timeline.js';
import type { World } from './world.js';

export interface WireParts {
  readonly world: World;
  readonly master: Master;
  /** The bot's process. */
  readonly bot: Owner & { readonly name: string };
  readonly random: Random;
}

const reasonOf = ({ fields }: DomainError) => ('reason' in fields ? String(fields.reason) : '');

type Hear = (request: HeartbeatRequest) => Promise<void> | void;

/** Reasons that only a broken protocol has. */
const wrongReasons = new Set(['WRONG_SEQUENCE', 'UNEXPECTED_HELLO']);

/**
 * A heartbeat stream between the bot's real session and the master's real handler. Each
 * direction keeps its order; the network may hold it up, end it for both, or end it without
 * a word to either.
 */
export class Wire {
  /** What the bot has registered of a call's events. */
  readonly #listeners = new Map<string, ((value: never) => void)[]>();
  readonly #context: OperationContext;
  readonly #unheard: HeartbeatRequest[] = [];
  readonly #allHeard = Promise.withResolvers<void>();
  #hear: Hear | undefined;
  #isHearing = false;
  #isBegun = false;
  #isOver = false;
  #arrivals = { up: 0, down: 0 };
  /** The network takes nothing any more, and tells nobody. */
  isCut = false;
  /** The network keeps everything until then. */
  stalledUntil = 0;

  constructor(private readonly parts: WireParts) {
    const { master } = parts;
    master.wires.add(this);
    this.#context = new OperationContext({
      operation: 'heartbeat',
      timeoutMs: Number.POSITIVE_INFINITY,
      requestId: '',
      log: silentLog,
      clock: master.clock,
    });
  }

  // The bot's end, as a ClientDuplexStream.

  on(event: string, listener: (value: never) => void): this {
    const there = this.#listeners.get(event);
    if (there) there.push(listener);
    else this.#listeners.set(event, [listener]);
    return this;
  }

  write(request: HeartbeatRequest): boolean {
    this.#up(request.message?.$case ?? 'nothing', () => this.#arrived(request));
    return true;
  }

  /** The bot says nothing more. */
  end(): void {
    this.#up('end', () => this.#allHeard.resolve());
  }

  cancel(): void {
    this.#up('cancel', () => this.#context.abort(new CancelledError()));
  }

  // The master's end.

  /** The master stops. */
  hangUp(): void {
    this.#context.abort(new ShuttingDownError());
  }

  #arrived(request: HeartbeatRequest): void {
    if (this.#isOver) return;
    this.#unheard.push(request);
    if (!this.#isBegun) this.#begin();
    else void this.#hearAll();
  }

  #begin(): void {
    this.#isBegun = true;
    const { master } = this.parts;
    if (!master.isServing) {
      this.#close({ code: Code.UNAVAILABLE, details: 'the master does not serve' });
      return;
    }
    const send = (response: HeartbeatResponse) => this.#send(response);
    const receive = (hear: Hear) => {
      this.#hear = hear;
      void this.#hearAll();
      return this.#allHeard.promise;
    };
    master
      .heartbeat(receive, this.#context, { send, sendLatest: send })
      .then(() => this.#close({ code: Code.OK, details: '' }))
      .catch((error) => this.#failed(error));
  }

  /** One message after the other: those that follow Hello wait until the session is there. */
  async #hearAll(): Promise<void> {
    if (this.#isHearing) return;
    this.#isHearing = true;
    try {
      for (let next = this.#unheard.shift(); next; next = this.#unheard.shift()) {
        const hearing = this.#hear?.(next);
        if (hearing) await hearing;
      }
    } catch (error) {
      this.#allHeard.reject(error);
    }
    this.#isHearing = false;
  }

  #send(response: HeartbeatResponse): void {
    const { message } = response;
    if (this.#isOver || !message) return;
    this.parts.world.ledger.said(this.parts.bot.name, message);
    this.#down(message.$case, () => this.#emit('data', response));
  }

  #failed(error: Error): void {
    const { world, bot } = this.parts;
    // A disk that fails is an internal error of the master, and the bot comes again.
    const isOurs = error instanceof DomainError || error instanceof SqliteFault;
    const reason = error instanceof DomainError ? reasonOf(error) : '';
    const isWrong = !isOurs || error.name === 'ValidationError' || wrongReasons.has(reason);
    if (isWrong) world.violated('protocol', `${bot.name}: ${messageOf(error)}`);
    const requestId = '';
    const status = statusOf(verdictOn(error, { requestId, log: silentLog }), requestId);
    this.#close(Object.assign(new Error(status.details), status));
  }

  #close(status: object): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#context.end();
    this.parts.master.wires.delete(this);
    this.#down('status', () => this.#emit(status instanceof Error ? 'error' : 'status', status));
  }

  // The network.

  /** Both ends are told, as by a reset. */
  reset(): void {
    if (this.isCut) return;
    this.lost();
    const { world, master, random } = this.parts;
    const see = () => this.#context.abort(new CancelledError());
    world.timeline.after(world.weather.networkMs(random), 'master < reset', see, master);
  }

  /** Nothing passes any more, and the bot is told. */
  lost(): void {
    if (this.isCut) return;
    this.isCut = true;
    const { world, bot, random } = this.parts;
    const error = Object.assign(new Error('reset'), { code: Code.UNAVAILABLE, details: 'reset' });
    const tell = () => this.#emit('error', error);
    world.timeline.after(world.weather.networkMs(random), `${bot.name} < reset`, tell, bot);
  }

  #up(label: string, arrive: () => void): void {
    const { bot, master } = this.parts;
    this.#pass('up', `${bot.name} > ${label}`, arrive, master);
  }

  #down(label: string, arrive: () => void): void {
    const { bot } = this.parts;
    this.#pass('down', `${bot.name} < ${label}`, arrive, bot);
  }

  #pass(way: 'up' | 'down', label: string, arrive: () => void, to: Owner): void {
    if (this.isCut) return;
    const { timeline, weather } = this.parts.world;
    const soonest =
      Math.max(timeline.now, this.stalledUntil) + weather.networkMs(this.parts.random);
    const at = Math.max(this.#arrivals[way], soonest);
    this.#arrivals[way] = at;
    timeline.at(at, label, () => this.isCut || arrive(), to);
  }

  #emit(event: string, value: object): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(value as never);
  }
}
