import type { ServerUnaryCall } from '@grpc/grpc-js';
import { AddressLimits } from '../core/address-limits.js';
import type { Clock } from '../core/clock.js';
import {
  DomainError,
  OverloadError,
  PermissionError,
  UnauthenticatedError,
} from '../core/errors.js';
import type { Logger } from '../core/log.js';
import { anonymous, type Principal, type Role } from '../core/principal.js';
import { sessionOf } from './beneath/session-of.js';
import { certificateNamesOf } from './certificate-names.js';
import { type Allowed, permissions } from './permissions.js';
import { notForProjects } from './project-scope.js';
import { projectRules } from './projects.js';

/** Who makes a call, as far as it is known, and why it is refused, if it is. */
export interface Caller {
  readonly principal: Principal;
  readonly refusal?: DomainError;
}

/** The part of a call that says who makes it. */
export type Asking = Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'getPath' | 'getPeer'> & {
  readonly signedIn?: SignedInBy;
  /** The socket of a call over HTTP; one by gRPC has a session. */
  readonly connection?: object;
};

/** Of a call by a session of the page: its token, or why it has none any more. */
export type SignedInBy = Token | DomainError | undefined;

/** IP address of a call's peer. */
export const addressOf = (call: Pick<Asking, 'getPeer'>): string =>
  call.getPeer().replace(/:\d+$/, '');

/** A call, or a request over HTTP. */
interface Asked {
  /** As in `permissions`. */
  readonly endpoint: string;
  readonly authorization: string | undefined;
  /** IP address of the peer. */
  readonly address: string;
  /** Its socket, whose certificate may say who it is. */
  readonly connection?: object;
}

/** What says who calls. */
interface Credentials {
  readonly authorization: string | undefined;
  readonly signedIn?: SignedInBy;
  /** A function, as calls that anyone may make need no look at it. */
  readonly connection: () => object | undefined;
}

/** A caller by its token. */
interface Token extends Principal {
  readonly role: Role;
  /** Notes a call. @throws UnauthenticatedError when the token has ended */
  use(now: number): void;
}

export interface AccessOptions {
  /** Off: everybody may do everything. */
  readonly isOn: boolean;
  /** @throws UnauthenticatedError for what is no token of this master */
  readonly find: (text: string) => Token;
  /** The token for which a name of a certificate stands. */
  readonly findByCertificate: (names: readonly string[]) => Token | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Calls without a valid token, or not for their caller, from one address. Valid ones are
 * never refused for it, as a whole fleet may share one address.
 */
const failures = { atOnce: 1000, perSecond: 10 };
const retryAfterMs = 1000;
const open: Caller = Object.freeze({ principal: anonymous });

/**
 * Decides who may call what. Everything here is in memory: it is asked for each call.
 *
 * The last token of each connection is remembered with the header that it came in, so that
 * most calls compare two texts instead of hashing one. What is compared with is what that
 * very peer has sent before: the time that takes tells nobody anything.
 */
export class Access {
  readonly #ofConnection = new WeakMap<object, { header: string; token: Token }>();
  readonly #failures: AddressLimits;

  constructor(private readonly options: AccessOptions) {
    this.#failures = new AddressLimits(failures, options.clock);
  }

  get isOn(): boolean {
    return this.options.isOn;
  }

  /** The caller of a call by gRPC. `endpoint`: where the path alone does not say it all. */
  of(call: Asking, endpoint = call.getPath()): Caller {
    if (!this.options.isOn) return open;
    const [header] = call.metadata.get('authorization');
    const authorization = typeof header === 'string' ? header : undefined;
    const { signedIn } = call;
    const connection = () => call.connection ?? sessionOf(call);
    const caller = this.#callerBy(endpoint, { authorization, signedIn, connection });
    if (!caller.refusal) return caller;
    return this.#refused({ endpoint, address: addressOf(call) }, caller);
  }

  /** Whether a call would not be refused: asked before its message costs anything. Nothing is noted. */
  lets(endpoint: string, by: Credentials): boolean {
    return !this.options.isOn || !this.#callerBy(endpoint, by).refusal;
  }

  /** The caller of a page. */
  ofPage(path: string, { authorization, address, connection }: Omit<Asked, 'endpoint'>): Caller {
    if (!this.options.isOn) return open;
    const endpoint = `HTTP${path}`;
    const caller = this.#callerBy(endpoint, { authorization, connection: () => connection });
    return caller.refusal ? this.#refused({ endpoint, address }, caller) : caller;
  }

  #callerBy(endpoint: string, { authorization, signedIn, connection }: Credentials): Caller {
    const allowed = permissions.get(endpoint);
    if (allowed === 'anyone') return open;
    try {
      const token = signedIn ?? this.#tokenBy(authorization, connection());
      if (token instanceof DomainError) throw token;
      token.use(this.options.clock.now());
      if (!allowed?.includes(token.role)) {
        return { principal: token, refusal: notAllowed(token.role, allowed) };
      }
      const refusal = token.projects && refusalOf(endpoint);
      return refusal ? { principal: token, refusal } : { principal: token };
    } catch (error) {
      if (error instanceof DomainError) return { principal: anonymous, refusal: error };
      throw error;
    }
  }

  #tokenBy(authorization: string | undefined, connection: object | undefined): Token {
    if (authorization === undefined) return this.#certified(connection);
    return this.#tokenOf(authorization, connection);
  }

  /** Who a connection's certificate says. A token that is given goes before it. */
  #certified(connection: object | undefined): Token {
    const names = connection ? certificateNamesOf(connection) : [];
    const token = names.length > 0 ? this.options.findByCertificate(names) : undefined;
    if (!token) throw missing();
    return token;
  }

  #tokenOf(header: string, connection: object | undefined): Token {
    const last = connection && this.#ofConnection.get(connection);
    if (last?.header === header) return last.token;
    const token = this.options.find(textOf(header));
    if (connection) this.#ofConnection.set(connection, { header, token });
    return token;
  }

  #refused({ endpoint, address }: Pick<Asked, 'endpoint' | 'address'>, caller: Caller): Caller {
    const { principal, refusal } = caller;
    if (!refusal) return caller;
    if (!this.#failures.take(address)) {
      const what = 'too many calls of this address had no valid token, or not the right one';
      return { principal, refusal: new OverloadError({ what, retryAfterMs }) };
    }
    const reason = 'reason' in refusal.fields ? refusal.fields.reason : refusal.name;
    // `path` bounds how many of these lines there are (core/log-bounds.ts).
    this.options.log.warn({ path: address, endpoint, reason }, 'call refused');
    return caller;
  }
}

/** "Bearer TOKEN", in whatever case the scheme is written. Anything else is no token. */
const textOf = (header: string): string => /^bearer +(\S+)$/i.exec(header)?.[1] ?? '';

const missing = () =>
  new UnauthenticatedError({
    reason: 'TOKEN_MISSING',
    why: 'this master takes calls with a token only: set PANDAFUZZ_TOKEN or --token-file, or sign in with "pandafuzz login" ("authorization: Bearer pf_..." in other clients)',
  });

/** Of a caller who is bound to projects; undefined: it may call this. */
function refusalOf(endpoint: string): PermissionError | undefined {
  const rule = projectRules.get(endpoint);
  return rule === undefined || rule === 'every project' ? notForProjects(rule) : undefined;
}

function notAllowed(role: Role, allowed: Allowed | undefined): PermissionError {
  if (allowed === undefined) {
    const why = 'nobody may call this: the master has no rule for it';
    return new PermissionError({ reason: 'METHOD_NOT_LISTED', why });
  }
  const why = `a token of role ${role} may not call this: it takes one of role ${[...allowed].join(' or ')}`;
  return new PermissionError({ reason: 'ROLE_NOT_ALLOWED', why });
}
