import { timingSafeEqual } from 'node:crypto';
import type { Clock, Timer } from '../../core/clock.js';
import type { InBackground, RequestContext } from '../../core/context.js';
import { AlreadyExistsError, QuotaError, UnauthenticatedError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import type { Principal } from '../../core/principal.js';
import { knownToken, knownTokens, listTokens } from '../../store/ops/tokens/list-tokens.js';
import { enrolBot, putToken } from '../../store/ops/tokens/put-token.js';
import { revokeToken } from '../../store/ops/tokens/revoke-token.js';
import type { NewToken, TokenRow } from '../../store/ops/tokens/token-rows.js';
import { pruneTokens, touchTokens } from '../../store/ops/tokens/token-upkeep.js';
import type { Store } from '../../store/store.js';
import { LiveToken } from './live-token.js';
import { digestOf, isTokenText, newTokenText } from './token-text.js';

/** Tokens on disk, and in memory. A fleet has one for each bot. */
const mostTokens = 100_000;
const pageSize = 1000;
/** Tokens that one sweep deletes. */
const pruneAtOnce = 1000;
/** Timers are 32 bits; a later end is looked at again. */
const longestTimerMs = 86_400_000;

export interface TokensParts {
  readonly store: Pick<Store, 'run'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly newId: () => string;
  readonly flushEveryMs: number;
  /** Age at which tokens that have ended are deleted. */
  readonly keepEndedMs: number;
}

/** A token, with its text, which is told once. */
export interface MadeToken {
  readonly secret: string;
  readonly row: TokenRow;
}

export type TokenWish = Omit<NewToken, 'id' | 'hash' | 'createdBy' | 'now'>;

/**
 * Every token in memory, so that who calls is known without a read. What another master of a
 * cluster has changed comes by `lookAt`.
 */
export class Tokens {
  /** By the bytes of their hash. */
  readonly #byDigest = new Map<string, LiveToken>();
  readonly #byId = new Map<string, LiveToken>();
  /** The newest of each name in certificates. */
  readonly #byCertificate = new Map<string, LiveToken>();
  #expiry: Timer | undefined;
  #nextExpiryAt = Number.POSITIVE_INFINITY;
  #onEnded: (token: LiveToken, why: UnauthenticatedError) => void = () => {};
  readonly #flush: PeriodicTask;
  readonly #sweep: PeriodicTask;

  constructor(private readonly parts: TokensParts) {
    const { clock, log, flushEveryMs } = parts;
    const [flush, sweep] = [() => this.#writeUses(), () => this.#prune()];
    const task = { clock, log };
    this.#flush = new PeriodicTask({
      ...task,
      intervalMs: flushEveryMs,
      name: 'flush of tokens',
      work: flush,
    });
    this.#sweep = new PeriodicTask({
      ...task,
      intervalMs: 3_600_000,
      name: 'sweep of tokens',
      work: sweep,
    });
  }

  /** `listener` is called when a token ends, by revocation or expiry. */
  onEnded(listener: (token: LiveToken, why: UnauthenticatedError) => void): void {
    this.#onEnded = listener;
  }

  /** Loads every token of an earlier process, and starts the clocks. */
  async start(): Promise<void> {
    const { inBackground, store } = this.parts;
    for (let afterId = ''; ; ) {
      const keys = { afterId, limit: pageSize };
      const rows = await inBackground('known_tokens', (ctx) => store.run(ctx, knownTokens, keys));
      for (const row of rows) this.#add(new LiveToken(row));
      if (rows.length < pageSize) break;
      afterId = rows.at(-1)?.id ?? '';
    }
    this.#flush.start();
    this.#sweep.start();
  }

  async stop(): Promise<void> {
    this.#expiry?.cancel();
    await Promise.all([this.#flush.stop(), this.#sweep.stop()]);
    await this.#writeUses().catch((err) => this.parts.log.warn({ err }, 'flush of tokens failed'));
  }

  /** Another master has made, bound or revoked this token. */
  async lookAt(id: string): Promise<void> {
    const { inBackground, store } = this.parts;
    const row = await inBackground(knownToken.name, (ctx) => store.run(ctx, knownToken, id));
    if (!row) return;
    const token = this.#byId.get(id);
    if (!token) return this.#add(new LiveToken(row));
    token.botId = row.bot_id ?? undefined;
    token.revokedBy = row.revoked_by ?? undefined;
    this.#end(token);
  }

  /** Whether some valid token has this role. */
  hasRole(role: LiveToken['role']): boolean {
    const now = this.parts.clock.now();
    for (const token of this.#byId.values()) {
      if (token.role === role && !token.endingAt(now)) return true;
    }
    return false;
  }

  /** The token with this text, which may have ended. @throws UnauthenticatedError */
  find(text: string): LiveToken {
    if (!isTokenText(text)) throw malformed();
    const digest = digestOf(text);
    const token = this.#byDigest.get(digest.toString('latin1'));
    if (!token || !timingSafeEqual(digest, token.digest)) throw unknown();
    return token;
  }

  /** The token for which one of these names of a certificate stands; it may have ended. */
  findByCertificate(names: readonly string[]): LiveToken | undefined {
    if (this.#byCertificate.size === 0) return undefined;
    for (const name of names) {
      const token = this.#byCertificate.get(name);
      if (token) return token;
    }
    return undefined;
  }

  /** @throws NotFoundError (bot), AlreadyExistsError (name of a certificate), QuotaError */
  async create(ctx: RequestContext, wish: TokenWish): Promise<MadeToken> {
    this.#expectFree(wish.certificate);
    const { secret, token } = this.#newToken(ctx, wish);
    const row = await this.parts.store.run(ctx, putToken, token);
    this.#add(new LiveToken({ ...row, hash: token.hash }));
    // Its text is nobody's: a certificate stands for it.
    return { secret: wish.certificate === '' ? secret : '', row };
  }

  /** @throws AlreadyExistsError */
  #expectFree(certificate: string): void {
    const holder = this.#byCertificate.get(certificate);
    if (!holder || holder.endingAt(this.parts.clock.now())) return;
    const why = `${certificate} stands for the token ${holder.name} already: revoke that first`;
    throw new AlreadyExistsError({ resource: 'token', id: holder.tokenId, why });
  }

  /** Makes the token of a bot, with the caller's own, which ends. @throws UnauthenticatedError, QuotaError */
  async enrol(ctx: RequestContext, enrolling: LiveToken, name: string): Promise<MadeToken> {
    const { pool } = enrolling;
    const ofBot = {
      role: 'bot',
      projects: '[]',
      certificate: '',
      botId: null,
      expiresAt: null,
    } as const;
    const wish = { ...ofBot, name, pool };
    const { secret, token } = this.#newToken(ctx, wish);
    const input = { ...token, enrolId: enrolling.tokenId };
    const row = await this.parts.store.run(ctx, enrolBot, input);
    enrolling.revokedBy = 'enrolment';
    enrolling.hasEnded = true; // no call is ended for it: this one is the last
    this.#add(new LiveToken({ ...row, hash: token.hash }));
    return { secret, row };
  }

  list(ctx: RequestContext, page: { beforeId: string; limit: number }): Promise<TokenRow[]> {
    return this.parts.store.run(ctx, listTokens, page);
  }

  of(id: string): LiveToken | undefined {
    return this.#byId.get(id);
  }

  /** @throws NotFoundError */
  async revoke(ctx: RequestContext, id: string): Promise<TokenRow> {
    const input = { id, by: ctx.principal.name, now: this.parts.clock.now() };
    const row = await this.parts.store.run(ctx, revokeToken, input);
    const token = this.#byId.get(id);
    if (token) {
      token.revokedBy = row.revoked_by ?? input.by;
      this.#end(token);
    }
    return row;
  }

  /** The caller has registered as this bot: on disk it has been its token since. */
  bind({ tokenId = '' }: Principal, botId: string): void {
    const token = this.#byId.get(tokenId);
    if (token?.role === 'bot') token.botId = botId;
  }

  #newToken(ctx: RequestContext, wish: TokenWish): { secret: string; token: NewToken } {
    if (this.#byId.size >= mostTokens) {
      const why = `there are ${mostTokens} tokens already: revoke some; those that ended are deleted after a while`;
      throw new QuotaError({ subject: 'tokens', why });
    }
    const secret = newTokenText(wish.role);
    const hash = digestOf(secret).toString('hex');
    const { newId, clock } = this.parts;
    const by = { createdBy: ctx.principal.name, now: clock.now() };
    return { secret, token: { ...wish, id: newId(), hash, ...by } };
  }

  #add(token: LiveToken): void {
    this.#byDigest.set(token.digest.toString('latin1'), token);
    this.#byId.set(token.tokenId, token);
    // Loaded in the order in which they were made: the newest stays.
    if (token.certificate !== '') this.#byCertificate.set(token.certificate, token);
    if (token.endingAt(this.parts.clock.now())) token.hasEnded = true;
    else this.#expireAt(token.expiresAt);
  }

  #end(token: LiveToken): void {
    const why = token.endingAt(this.parts.clock.now());
    if (!why || token.hasEnded) return;
    token.hasEnded = true;
    this.#onEnded(token, why);
  }

  /** One timer, for the token that expires first. */
  #expireAt(at: number): void {
    if (at >= this.#nextExpiryAt) return;
    this.#nextExpiryAt = at;
    this.#expiry?.cancel();
    const delayMs = Math.min(Math.max(at - this.parts.clock.now(), 0), longestTimerMs);
    this.#expiry = this.parts.clock.schedule(delayMs, this.#endExpired, { unref: true });
  }

  readonly #endExpired = (): void => {
    this.#nextExpiryAt = Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const token of this.#byId.values()) {
      if (token.hasEnded) continue;
      this.#end(token);
      if (!token.hasEnded) next = Math.min(next, token.expiresAt);
    }
    if (Number.isFinite(next)) this.#expireAt(next);
  };

  async #writeUses(): Promise<void> {
    const used = [...this.#byId.values()].filter(({ isUnflushed }) => isUnflushed);
    const { inBackground, store } = this.parts;
    for (let from = 0; from < used.length; from += pageSize) {
      const some = used.slice(from, from + pageSize);
      for (const token of some) token.isUnflushed = false;
      const uses = some.map(({ tokenId, lastUsedAt }) => ({ id: tokenId, at: lastUsedAt }));
      try {
        await inBackground('touch_tokens', (ctx) => store.run(ctx, touchTokens, uses));
      } catch (error) {
        for (const token of some) token.isUnflushed = true;
        throw error;
      }
    }
  }

  async #prune(): Promise<void> {
    const { inBackground, store, clock, keepEndedMs } = this.parts;
    const input = { olderThan: clock.now() - keepEndedMs, limit: pruneAtOnce };
    const ids = await inBackground('prune_tokens', (ctx) => store.run(ctx, pruneTokens, input));
    for (const id of ids) {
      const token = this.#byId.get(id);
      this.#byId.delete(id);
      if (token) this.#byDigest.delete(token.digest.toString('latin1'));
      if (token && this.#byCertificate.get(token.certificate) === token) {
        this.#byCertificate.delete(token.certificate);
      }
    }
  }
}

const malformed = () =>
  new UnauthenticatedError({
    reason: 'TOKEN_MALFORMED',
    why: 'the authorization header must be "Bearer" and a token (pf_, a role, _ and 64 hex digits): is it cut off?',
  });

const unknown = () =>
  new UnauthenticatedError({
    reason: 'TOKEN_UNKNOWN',
    why: 'this master does not know the token: it is of another master, or ended long ago',
  });
