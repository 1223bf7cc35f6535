import { UnauthenticatedError } from '../../core/errors.js';
import type { Principal, Role } from '../../core/principal.js';
import type { KnownToken, TokenRow } from '../../store/ops/tokens/token-rows.js';

/** A token in memory, and who it is. */
export class LiveToken implements Principal {
  readonly digest: Buffer;
  /** ms since 1970; Infinity: never. */
  readonly expiresAt: number;
  readonly projects: readonly string[] | undefined;
  botId: string | undefined;
  revokedBy: string | undefined;
  /** ms since 1970; 0: never. */
  lastUsedAt: number;
  /** That is newer than on disk. */
  isUnflushed = false;
  /** Its calls were ended, as it has. */
  hasEnded = false;
  readonly #row: TokenRow;

  constructor({ hash, ...row }: KnownToken) {
    this.#row = row;
    this.digest = Buffer.from(hash, 'hex');
    const projects: string[] = JSON.parse(row.projects);
    this.projects = projects.length > 0 ? projects : undefined;
    this.expiresAt = row.expires_at ?? Number.POSITIVE_INFINITY;
    this.botId = row.bot_id ?? undefined;
    this.revokedBy = row.revoked_by ?? undefined;
    this.lastUsedAt = row.last_used_at ?? 0;
  }

  get tokenId(): string {
    return this.#row.id;
  }

  get name(): string {
    return this.#row.name;
  }

  get role(): Role {
    return this.#row.role;
  }

  get certificate(): string {
    return this.#row.certificate;
  }

  get pool(): string {
    return this.#row.pool;
  }

  /** As it is on disk, with what has changed since. */
  get row(): TokenRow {
    const { botId, lastUsedAt } = this;
    return { ...this.#row, bot_id: botId ?? null, last_used_at: lastUsedAt || null };
  }

  /** A call begins with it. @throws UnauthenticatedError when it has ended */
  use(now: number): void {
    const ending = this.endingAt(now);
    if (ending) throw ending;
    this.lastUsedAt = now;
    this.isUnflushed = true;
  }

  /** Why it is of no use any more, if it is not. */
  endingAt(now: number): UnauthenticatedError | undefined {
    if (this.revokedBy !== undefined) return this.role === 'enrol' ? used() : revoked();
    return now >= this.expiresAt ? expired() : undefined;
  }
}

const revoked = () =>
  new UnauthenticatedError({ reason: 'TOKEN_REVOKED', why: 'this token was revoked' });

const used = () =>
  new UnauthenticatedError({
    reason: 'TOKEN_USED',
    why: 'this token has enrolled a bot already, or was revoked: make another one',
  });

const expired = () =>
  new UnauthenticatedError({
    reason: 'TOKEN_EXPIRED',
    why: 'this token has expired: sign in again, or an admin makes another with "pandafuzz token create"',
  });
