import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { NotFoundError } from '../../core/errors.js';
import { isolationNamed } from '../../core/isolation.js';
import type { Logger } from '../../core/log.js';
import type { Bot, BotEngine } from '../../gen/pandafuzz/v1/bot.js';
import type { RegisterBotRequest } from '../../gen/pandafuzz/v1/bot_service.js';
import { Isolation } from '../../gen/pandafuzz/v1/isolation.js';
import { drainBot } from '../../store/ops/bots/drain-bot.js';
import { forgetBot } from '../../store/ops/bots/forget-bot.js';
import { getBot } from '../../store/ops/bots/get-bot.js';
import { listBots } from '../../store/ops/bots/list-bots.js';
import type { BotRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import type { BeatLog } from '../leases/beat-log.js';
import type { Leases } from '../leases/leases.js';
import { cutPage, type PageRequest, readPage } from '../messages/pages.js';
import { botRecord } from '../messages/records.js';
import { Violations } from '../messages/violations.js';
import type { Blame } from './blame.js';
import type { Holds } from './holds.js';
import { Registrations } from './registrations.js';
import type { Sessions } from './sessions.js';

export interface BotsParts {
  readonly store: Store;
  readonly leases: Leases;
  readonly sessions: Sessions;
  readonly beatLog: BeatLog;
  readonly holds: Holds;
  readonly blame: Blame;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newId: () => string;
  readonly maxBots: number;
}

/** The bots of the fleet: their rows in the store, with sessions and leases from memory. */
export class Bots {
  readonly #registrations: Registrations;

  constructor(private readonly parts: BotsParts) {
    this.#registrations = new Registrations(parts);
  }

  /** @throws ValidationError, PreconditionError (BOT_IS_LIVE, NAME_IS_TAKEN) */
  async register(ctx: RequestContext, request: RegisterBotRequest): Promise<Bot> {
    checkRegistration(request);
    return this.#record(await this.#registrations.register(ctx, request));
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, id: string): Promise<Bot> {
    new Violations().id(id, 'bot_id').throwIfAny();
    const row = await this.parts.store.run(ctx, getBot, id);
    if (!row) throw new NotFoundError({ resource: 'bot', id });
    return this.#record(row);
  }

  /** Drains a bot (`wanted`), or resumes it. @throws NotFoundError */
  async drain(ctx: RequestContext, botId: string, wanted: boolean): Promise<Bot> {
    new Violations().id(botId, 'bot_id').throwIfAny();
    const now = this.parts.clock.now();
    const row = await this.parts.store.run(ctx, drainBot, { botId, wanted, now });
    this.parts.sessions.drain(botId, wanted);
    return this.#record(row);
  }

  /** @throws NotFoundError, PreconditionError */
  async forget(ctx: RequestContext, botId: string): Promise<void> {
    new Violations().id(botId, 'bot_id').throwIfAny();
    await this.parts.store.run(ctx, forgetBot, { botId, now: this.parts.clock.now() });
    this.parts.sessions.of(botId)?.forget();
    this.parts.blame.forget(botId);
  }

  async list(
    ctx: RequestContext,
    request: PageRequest,
  ): Promise<{ bots: Bot[]; nextPageToken: string }> {
    const page = readPage(request);
    const cut = cutPage(await this.parts.store.run(ctx, listBots, page), page.limit);
    return { bots: cut.rows.map((row) => this.#record(row)), nextPageToken: cut.nextPageToken };
  }

  /** Another master of the cluster has its stream. */
  #isElsewhere({ master }: BotRow): boolean {
    return this.parts.store.cluster?.peers.some(({ id }) => id === master) ?? false;
  }

  #record(row: BotRow): Bot {
    const session = this.parts.sessions.of(row.id);
    return botRecord(row, {
      online: session !== undefined || this.#isElsewhere(row),
      rivalRefusedAt: session?.rivalRefusedAt,
      runningJobs: this.parts.leases.countOfBot(row.id),
      lastSeenAt: this.parts.beatLog.lastSeenAt(row.id),
      health: session?.health,
      hold: this.parts.holds.of(row.id),
    });
  }
}

function checkRegistration(request: RegisterBotRequest): void {
  const found = new Violations()
    .expect(
      /^[A-Za-z0-9._-]{1,128}$/.test(request.name),
      'name',
      "must be 1 to 128 letters, digits, '.', '_' or '-'",
    )
    .expect(
      request.engines.length >= 1 && request.engines.length <= 16,
      'engines',
      'must be 1 to 16 engines',
    )
    .whole(request.slots, 'slots', { min: 1, max: 1024 })
    .text(request.version, 'version', { max: 64 })
    .whole(request.memoryMib, 'memory_mib', { min: 0, max: 2 ** 30 })
    .whole(request.diskMib, 'disk_mib', { min: 0, max: 2 ** 30 });
  if (request.identity !== undefined) found.id(request.identity, 'identity');
  if (request.instanceId !== undefined) found.id(request.instanceId, 'instance_id');
  for (const [index, engine] of request.engines.slice(0, 16).entries()) {
    found.expect(
      /^[a-z0-9_-]{1,32}$/.test(engine),
      `engines[${index}]`,
      "must be 1 to 32 lower-case letters, digits, '_' or '-'",
    );
  }
  checkEngineDetails(request.engineDetails, found);
  const labels = Object.entries(request.labels);
  found.expect(labels.length <= 64, 'labels', 'must have at most 64 entries');
  for (const [index, [key, value]] of labels.slice(0, 64).entries()) {
    found.text(key, `labels (key of entry ${index + 1})`, { min: 1, max: 63 });
    found.text(value, `labels (value of entry ${index + 1})`, { max: 256 });
  }
  checkContainment(request, found);
  found.throwIfAny();
}

function checkEngineDetails(engines: readonly BotEngine[], found: Violations): void {
  found.expect(engines.length <= 16, 'engine_details', 'must be at most 16 engines');
  for (const [index, { name, version, kinds, note }] of engines.slice(0, 16).entries()) {
    const field = `engine_details[${index}]`;
    found
      .expect(/^[a-z0-9_-]{1,32}$/.test(name), `${field}.name`, 'must be the name of an engine')
      .text(version, `${field}.version`, { max: 64 })
      .text(note, `${field}.note`, { max: 256 })
      .expect(kinds.length <= 16, `${field}.kinds`, 'must be at most 16 kinds');
  }
}

function checkContainment({ containment }: RegisterBotRequest, found: Violations): void {
  if (!containment) return;
  const { level, gaps } = containment;
  found
    .expect(
      level === Isolation.UNSPECIFIED || isolationNamed(level) !== undefined,
      'containment.level',
      'must be a level of Isolation',
    )
    .expect(gaps.length <= 16, 'containment.gaps', 'must be at most 16');
  for (const [index, gap] of gaps.slice(0, 16).entries()) {
    found.text(gap, `containment.gaps[${index}]`, { max: 256 });
  }
}
