import { randomBytes } from 'node:crypto';
import type { OidcConfig } from '../../config/oidc.js';
import { AddressLimits } from '../../core/address-limits.js';
import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import {
  OverloadError,
  PermissionError,
  PreconditionError,
  UnauthenticatedError,
} from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { type SecretKey, seal, unseal } from '../../core/secret-box.js';
import { plain } from '../../core/unseen.js';
import type {
  BeginSignInResponse,
  FinishSignInRequest,
  FinishSignInResponse,
} from '../../gen/pandafuzz/v1/identity_service.js';
import { Violations } from '../messages/violations.js';
import { made, roleNumbers } from './identity.js';
import { LiveToken } from './live-token.js';
import { type Begun, type Claims, Provider } from './provider.js';
import { groupsIn, type Rights, rightsOf } from './rights-of-groups.js';
import type { Tokens } from './tokens.js';

/** Time from the beginning of a sign-in to its end. */
const validMs = 600_000;
/** Finished sign-ins that are remembered: a provider takes a code once as well. */
const mostUsed = 100_000;
/** Sign-ins of which the provider is asked at once. */
const mostAtOnce = 32;
/** Sign-ins of one address: a company may have one address. */
const perAddress = { atOnce: 100, perSecond: 1 };
const retryAfterMs = 1000;
/** Valid sign-ins of one person: beyond it the oldest ends. */
const mostOfPerson = 20;
/** Projects of one token. */
const mostProjects = 16;

const commandUri = /^http:\/\/127\.0\.0\.1:[1-9]\d{0,4}\/callback$/;

export interface SignInsParts {
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newId: () => string;
}

/**
 * Sign-ins of people by a provider of OpenID Connect: authorization code with PKCE.
 *
 * Between beginning and end a sign-in is with its caller alone, sealed with a key that this
 * process has made: whoever begins sign-ins by the thousand costs no memory. It ends in a token
 * like any other, named after the person and made by the provider, that ends by itself.
 */
export class SignIns {
  readonly #provider: Provider | undefined;
  readonly #key: SecretKey = { id: '', bytes: randomBytes(32) };
  /** States of those that were finished, or tried, and when they would end; the oldest first. */
  readonly #used = new Map<string, number>();
  readonly #addresses: AddressLimits;
  #underWay = 0;

  constructor(
    private readonly settings: OidcConfig,
    private readonly parts: SignInsParts,
  ) {
    if (settings.issuer !== '') this.#provider = new Provider(settings, parts);
    this.#addresses = new AddressLimits(perAddress, parts.clock);
  }

  /** @throws ValidationError, PreconditionError */
  async begin(given: string): Promise<BeginSignInResponse> {
    const provider = this.#expectProvider();
    const redirectUri = given === '' ? this.#pageUri() : given;
    new Violations()
      .expect(given === '' || commandUri.test(given), 'redirect_uri', redirectRule)
      .throwIfAny();
    const { begun, url } = await provider.begin();
    const whole: Begun & { endsAt: number } = {
      ...{ ...begun, redirectUri, endsAt: this.parts.clock.now() + validMs },
    };
    const signIn = seal(this.#key, 'sign-in', JSON.stringify(whole));
    return { signIn, authorizationUrl: url(redirectUri) };
  }

  /** @throws ValidationError, UnauthenticatedError, PermissionError, PreconditionError, OverloadError, QuotaError */
  async finish(
    ctx: RequestContext,
    { signIn, answer }: FinishSignInRequest,
  ): Promise<FinishSignInResponse> {
    const provider = this.#expectProvider();
    new Violations()
      .text(signIn, 'sign_in', { min: 1, max: 4096 })
      .text(answer, 'answer', { min: 1, max: 8192 })
      .throwIfAny();
    const address = ctx.change?.note().address ?? '';
    if (!this.#addresses.take(address)) throw tooMany('sign-ins of this address');
    const begun = this.#take(signIn);
    if (this.#underWay >= mostAtOnce) throw tooMany('sign-ins at once');
    this.#underWay++;
    try {
      const claims = await provider.claims(begun, queryOf(answer));
      return await this.#letIn(ctx, claims);
    } finally {
      this.#underWay--;
    }
  }

  /** Ends the caller's token. @throws PreconditionError when no sign-in made it */
  async end(ctx: RequestContext): Promise<void> {
    const { principal } = ctx;
    if (!(principal instanceof LiveToken) || !this.#isOfSignIn(principal)) {
      const why = 'this token is not of a sign-in: an admin ends it with "pandafuzz token revoke"';
      throw new PreconditionError({ reason: 'NOT_SIGNED_IN', why });
    }
    await this.parts.tokens.revokeOwn(ctx, principal);
  }

  /** Ends a token that a sign-in has made; others stay. */
  async endToken(ctx: RequestContext, token: LiveToken): Promise<void> {
    if (this.#isOfSignIn(token)) await this.parts.tokens.revokeOwn(ctx, token);
  }

  #isOfSignIn({ row }: LiveToken): boolean {
    return this.#provider !== undefined && row.created_by === this.settings.issuer;
  }

  #expectProvider(): Provider {
    if (this.#provider) return this.#provider;
    const why = 'this master has no provider of sign-ins (oidc.issuer): use a token';
    throw new PreconditionError({ reason: 'NO_PROVIDER', why });
  }

  #pageUri(): string {
    if (this.settings.page !== '') return new URL('/signed-in', this.settings.page).href;
    const why = 'this master takes sign-ins of commands alone (oidc.page is not set): use a token';
    throw new PreconditionError({ reason: 'NO_PROVIDER', why });
  }

  /** Opens a sign-in, which nobody can finish after that. @throws UnauthenticatedError */
  #take(signIn: string): Begun {
    const now = this.parts.clock.now();
    const text = unseal(this.#key, 'sign-in', signIn);
    const begun = text && (JSON.parse(text) as Begun & { endsAt: number });
    if (!begun || begun.endsAt <= now) throw expired();
    if (this.#used.has(begun.state)) throw used();
    for (const [state, endsAt] of this.#used) {
      if (endsAt > now && this.#used.size < mostUsed) break;
      this.#used.delete(state);
    }
    this.#used.set(begun.state, begun.endsAt);
    return begun;
  }

  async #letIn(ctx: RequestContext, claims: Claims): Promise<FinishSignInResponse> {
    const { tokens, clock, newId, log } = this.parts;
    const { issuer, session, groups_claim: groupsClaim } = this.settings;
    const name = this.#nameIn(claims);
    const subject = String(claims['sub']);
    if (ctx.change) ctx.change.request = { name, subject };
    const rights = this.#rightsBy(groupsIn(claims[groupsClaim]));
    const { role } = rights;
    const id = newId();
    if (ctx.change) {
      ctx.change.caller = { name, role, tokenId: id };
      ctx.change.request = { name, subject, role: roleNumbers[role], projects: rights.projects };
    }
    const projects = JSON.stringify(rights.projects);
    const plainToken = { pool: '', certificate: '', botId: null };
    const wish = { ...plainToken, id, name, role, projects, createdBy: issuer };
    const token = await tokens.create(ctx, { ...wish, expiresAt: clock.now() + session });
    log.info({ caller: name, role, projects: rights.projects }, 'signed in by provider');
    const own = tokens.madeBy(issuer, name);
    for (const old of own.slice(0, Math.max(0, own.length - mostOfPerson))) {
      await tokens.revokeOwn(ctx, old);
    }
    return made(token);
  }

  /** @throws PermissionError, which never has the groups: they are in no log of ours */
  #rightsBy(groups: readonly string[]): Rights {
    const rights = rightsOf(groups, this.settings.groups);
    if (!rights) {
      const why = `the provider knows you, but none of your groups has a role here (claim ${this.settings.groups_claim}): ask an admin of this master (oidc.groups)`;
      throw new PermissionError({ reason: 'NO_GROUP_WITH_A_ROLE', why });
    }
    if (rights.projects.length > mostProjects) {
      const why = `your groups give more than ${mostProjects} projects, as many as one token may have: ask an admin of this master (oidc.groups)`;
      throw new PermissionError({ reason: 'TOO_MANY_PROJECTS', why });
    }
    return rights;
  }

  #nameIn(claims: Claims): string {
    const { name_claim: claim } = this.settings;
    const named = claims[claim];
    const isVerified = claim !== 'email' || claims['email_verified'] !== false;
    return isVerified && isName(named) ? named : plain(String(claims['sub'])).slice(0, 128);
  }
}

/** Names of the master's own in the audit log. */
const ownNames = ['anonymous', 'master'];

const isName = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.length > 0 &&
  value.length <= 128 &&
  value.isWellFormed() &&
  plain(value) === value &&
  !ownNames.includes(value);

/** "code=…&state=…", of that alone or of a whole address. */
const queryOf = (answer: string): string =>
  answer
    .trim()
    .replace(/^[^?#]*\?/, '')
    .replace(/#.*$/, '');

const redirectRule = 'must be "http://127.0.0.1:PORT/callback", or empty for the page';

const tooMany = (what: string) =>
  new OverloadError({ what: `there are too many ${what}`, retryAfterMs });

const expired = () =>
  new UnauthenticatedError({
    reason: 'SIGN_IN_EXPIRED',
    why: 'this sign-in began more than ten minutes ago, or before the master was restarted: begin again',
  });

const used = () =>
  new UnauthenticatedError({
    reason: 'SIGN_IN_USED',
    why: 'this sign-in was finished already: begin again',
  });
