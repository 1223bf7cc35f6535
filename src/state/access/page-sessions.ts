import { createHash, randomBytes } from 'node:crypto';
import type { Clock, Timer } from '../../core/clock.js';
import { UnauthenticatedError } from '../../core/errors.js';
import type { LiveToken } from './live-token.js';

/** Sessions at once, and of one token: beyond it the one that was used longest ago ends. */
const most = 10_000;
const mostOfToken = 100;
/** Age at which a secret is replaced. */
const rotateAfterMs = 15 * 60_000;
/** Time that the secret before stays good, for calls that were under way. */
const graceMs = 60_000;
const sweepEveryMs = 60_000;

/** As in the settings (`auth`), milliseconds. */
export interface SessionTimes {
  /** A session that nobody uses ends. */
  readonly session_idle: number;
  /** Every session ends. */
  readonly session_lifetime: number;
}

/** A person's browser that has signed in by a token. */
export interface Session {
  readonly token: LiveToken;
  readonly begunAt: number;
  usedAt: number;
  /** When `current` was made, and when it was first used; undefined: not yet. */
  issuedAt: number;
  takenAt: number | undefined;
  current: string;
  /** The secret before. */
  previous: string | undefined;
  /** What ends with it: streams. */
  readonly closers: Set<() => void>;
}

/** A caller by a session. `renewed`: its new secret, for the cookie. */
export interface SignedIn {
  readonly session: Session;
  readonly renewed: string | undefined;
}

/**
 * Sessions of the page, in memory: a restart of the master ends them. Of a secret only its hash
 * is kept. A session is of no use once its token has ended.
 *
 * A secret is replaced when it is old. The one before stays good until the new one was used,
 * as its answer may have been lost, and for a while after; later it is a copy that somebody
 * else has, and ends the session.
 */
export class PageSessions {
  /** By the hash of each good secret, and of the last one that was. */
  readonly #bySecret = new Map<string, Session>();
  /** The one that was used longest ago is first. */
  readonly #all = new Set<Session>();
  /** Each in the same order. */
  readonly #ofToken = new Map<LiveToken, Set<Session>>();
  #timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly times: SessionTimes,
  ) {}

  get count(): number {
    return this.#all.size;
  }

  /** @returns the secret of a new session */
  begin(token: LiveToken): string {
    const ofToken = this.#ofToken.get(token) ?? new Set();
    if (ofToken.size >= mostOfToken) this.#endFirst(ofToken);
    else if (this.#all.size >= most) this.#endFirst(this.#all);
    const now = this.clock.now();
    const { secret, digest } = newSecret();
    const session: Session = {
      ...{ token, begunAt: now, usedAt: now, issuedAt: now, takenAt: undefined },
      ...{ current: digest, previous: undefined, closers: new Set() },
    };
    this.#all.add(session);
    this.#ofToken.set(token, ofToken.add(session));
    this.#bySecret.set(digest, session);
    this.#timer ??= this.#sweepLater();
    return secret;
  }

  /** @throws UnauthenticatedError when there is no such session any more */
  find(secret: string): SignedIn {
    const digest = digestOf(secret);
    const session = this.#bySecret.get(digest);
    if (!session) throw ended();
    const now = this.clock.now();
    if (this.#isOver(session, now)) {
      this.end(session);
      throw ended();
    }
    // It stays until it is idle, so that its browser reads why it is of no use.
    const ending = session.token.endingAt(now);
    if (ending) throw ending;
    const renewed = this.#renewed(session, digest, now);
    session.usedAt = now;
    for (const sessions of [this.#all, this.#ofToken.get(session.token)]) {
      sessions?.delete(session);
      sessions?.add(session);
    }
    return { session, renewed };
  }

  end(session: Session): void {
    this.#all.delete(session);
    const ofToken = this.#ofToken.get(session.token);
    ofToken?.delete(session);
    if (ofToken?.size === 0) this.#ofToken.delete(session.token);
    this.#bySecret.delete(session.current);
    if (session.previous !== undefined) this.#bySecret.delete(session.previous);
    for (const close of session.closers) close();
    session.closers.clear();
  }

  stop(): void {
    this.#timer?.cancel();
    for (const session of this.#all) this.end(session);
  }

  #endFirst([first]: Iterable<Session>): void {
    if (first) this.end(first);
  }

  #isOver({ begunAt, usedAt }: Session, now: number): boolean {
    const { session_idle: idleMs, session_lifetime: lifetimeMs } = this.times;
    return now - usedAt >= idleMs || now - begunAt >= lifetimeMs;
  }

  /** @throws UnauthenticatedError for a secret that was replaced long ago */
  #renewed(session: Session, digest: string, now: number): string | undefined {
    if (digest === session.current) {
      session.takenAt ??= now;
      return now - session.issuedAt >= rotateAfterMs ? this.#rotate(session, now) : undefined;
    }
    if (session.takenAt === undefined) {
      // The new one did not arrive, as it seems: another.
      return now - session.issuedAt >= graceMs ? this.#reissue(session, now) : undefined;
    }
    if (now - session.takenAt < graceMs) return undefined;
    this.end(session);
    throw ended();
  }

  #rotate(session: Session, now: number): string {
    if (session.previous !== undefined) this.#bySecret.delete(session.previous);
    session.previous = session.current;
    return this.#issue(session, now);
  }

  #reissue(session: Session, now: number): string {
    this.#bySecret.delete(session.current);
    return this.#issue(session, now);
  }

  #issue(session: Session, now: number): string {
    const { secret, digest } = newSecret();
    session.current = digest;
    session.issuedAt = now;
    session.takenAt = undefined;
    this.#bySecret.set(digest, session);
    return secret;
  }

  #sweepLater(): Timer {
    return this.clock.schedule(sweepEveryMs, () => this.#sweep(), { unref: true });
  }

  #sweep(): void {
    const now = this.clock.now();
    for (const session of this.#all) if (this.#isOver(session, now)) this.end(session);
    this.#timer = this.#all.size > 0 ? this.#sweepLater() : undefined;
  }
}

const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

function newSecret(): { secret: string; digest: string } {
  const secret = randomBytes(32).toString('hex');
  return { secret, digest: digestOf(secret) };
}

const ended = () =>
  new UnauthenticatedError({
    reason: 'SESSION_ENDED',
    why: 'this session has ended, as all do after a time and when the master is restarted: sign in again',
  });
