import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { AlreadyExistsError, PreconditionError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { BotEngine } from '../../gen/pandafuzz/v1/bot.js';
import type { RegisterBotRequest } from '../../gen/pandafuzz/v1/bot_service.js';
import { Isolation } from '../../gen/pandafuzz/v1/isolation.js';
import { findRegistered } from '../../store/ops/bots/find-registered.js';
import { getBot } from '../../store/ops/bots/get-bot.js';
import { lookAtBot } from '../../store/ops/bots/look-at-bot.js';
import { registerBot } from '../../store/ops/bots/register-bot.js';
import { hasToken } from '../../store/ops/tokens/holders.js';
import type { BotRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import type { Leases } from '../leases/leases.js';
import { type Credential, credentialOf, labelsIn } from './credential.js';
import type { Sessions } from './sessions.js';

const longestName = 128;
/** From its registration to its Hello a bot keeps its name, though it holds no stream yet, milliseconds. */
const helloWithinMs = 10_000;
/** Bots of one name: each of them tries those before it. */
const highestNumber = 999;

export interface RegistrationsParts {
  readonly store: Pick<Store, 'run' | 'cluster'>;
  readonly leases: Leases;
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newId: () => string;
  readonly maxBots: number;
}

/**
 * Who is who. A bot is its identity, which it keeps in its work folder; its name is for
 * people, and unique. The name of a bot that is gone (without a stream that is heard, and
 * without a lease) goes to the next that asks for it, with the row. Where a live bot has it,
 * a bot with an identity gets the first free number behind it, and keeps that name; one
 * without an identity could not keep it, and is refused.
 *
 * With authentication a bot is who its token says, whatever its identity and name are: the
 * first registration binds the token to the bot. A bot that has a token of its own loses
 * neither its row nor its name to another.
 */
export class Registrations {
  constructor(private readonly parts: RegistrationsParts) {}

  /** @throws PreconditionError (BOT_IS_LIVE, NAME_IS_TAKEN), PermissionError (OTHER_BOT, OTHER_POOL) */
  async register(ctx: RequestContext, request: RegisterBotRequest): Promise<BotRow> {
    const { store, sessions, clock, log, newId } = this.parts;
    const { containment, ...described } = request;
    const { identity, instanceId, name: wantedName } = request;
    const credential = credentialOf(ctx);
    const labels = labelsIn(ctx, request);
    const known =
      (await this.#ownRow(ctx, credential)) ??
      (await store.run(ctx, findRegistered, { identity, name: wantedName }));
    const isItself = known !== undefined && known.id === credential?.botId;
    const isSame = known && (isItself || identity !== undefined || known.identity === null);
    if (isSame && instanceId !== undefined) {
      sessions.expectNoRival(known, instanceId, { now: clock.now(), log });
    }
    const quota = {
      most: this.parts.maxBots,
      setting: 'limits.max_bots',
      whatToDo: 'delete some that are gone (pandafuzz bot delete), or raise the setting',
    };
    const description = {
      quota,
      ...described,
      labels,
      ...(credential && { credential }),
      wantedName,
      id: newId(),
      engineDetails: JSON.stringify(request.engineDetails.map(BotEngine.toJSON)),
      isolation: containment?.level ?? Isolation.UNSPECIFIED,
      isolationGaps: containment?.gaps ?? [],
      runsAsRoot: containment?.runsAsRoot ?? false,
    };
    let name = wantedName;
    let goneBotId: string | undefined;
    for (let number = 2; ; ) {
      const wish = { ...description, name, goneBotId, now: clock.now() };
      const holder = await store.run(ctx, registerBot, wish).catch(holderOf);
      if (typeof holder !== 'string') return this.#registered(holder, wantedName);
      const mayTake = goneBotId !== holder && !(await this.#isLive(ctx, holder));
      if (mayTake && !(await this.#isOthers(ctx, credential, holder))) goneBotId = holder;
      else if (identity === undefined || number > highestNumber) throw this.#nameTaken(ctx, name);
      else name = numbered(wantedName, number++);
    }
  }

  /** The bot of the credential, as far as it is not forgotten. */
  async #ownRow(ctx: RequestContext, credential: Credential | undefined) {
    if (!credential?.botId) return undefined;
    return this.parts.store.run(ctx, getBot, credential.botId);
  }

  /** Whether a bot that is gone has a token of its own, and so keeps its name. */
  async #isOthers(ctx: RequestContext, credential: Credential | undefined, botId: string) {
    if (!credential) return false;
    const input = { botId, exceptId: credential.tokenId, now: this.parts.clock.now() };
    return this.parts.store.run(ctx, hasToken, input);
  }

  async #isLive(ctx: RequestContext, botId: string): Promise<boolean> {
    const { sessions, leases, clock, store } = this.parts;
    if (store.cluster) {
      const row = await store.run(ctx, lookAtBot, botId);
      if (store.cluster.peers.some(({ id }) => id === row?.master)) return true;
    }
    return sessions.isLive(botId, clock.monotonic()) || leases.countOfBot(botId) > 0;
  }

  #registered(row: BotRow, wantedName: string): BotRow {
    const nowMs = this.parts.clock.monotonic();
    this.parts.sessions.expect(row.id, { nowMs, untilMs: nowMs + helloWithinMs });
    if (row.name !== wantedName) {
      const about = { bot: row.id, botName: row.name, wanted: wantedName };
      this.parts.log.warn(about, 'bot registered under another name');
    }
    return row;
  }

  #nameTaken(ctx: RequestContext, name: string): PreconditionError {
    ctx.log.warn({ botName: name }, 'second bot refused');
    return new PreconditionError({
      reason: 'NAME_IS_TAKEN',
      why: 'a live bot has this name: give each bot a name of its own',
    });
  }
}

/** The id of the bot that has the name. */
function holderOf(error: unknown): string {
  if (error instanceof AlreadyExistsError) return error.fields.id;
  throw error;
}

const numbered = (name: string, number: number) =>
  `${name.slice(0, longestName - `-${number}`.length)}-${number}`;
