import type { ClientAuth, Configuration, CustomFetch } from 'openid-client';
import type { OidcConfig } from '../../config/oidc.js';
import type { Clock } from '../../core/clock.js';
import { backgroundRunner, type InBackground, orAbort } from '../../core/context.js';
import {
  messageOf,
  PreconditionError,
  TimeoutError,
  UnauthenticatedError,
} from '../../core/errors.js';
import type { Logger } from '../../core/log.js';

type Library = typeof import('openid-client');

/** Age at which the provider is asked again for its addresses. */
const discoverEveryMs = 3_600_000;
/** Longest answer of a provider that is read. */
const mostBytes = 1024 * 1024;
/** Clocks of master and provider may differ by so much, seconds. */
const clockToleranceS = 30;

/** What one sign-in is known by, at the provider and here. */
export interface Begun {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE. */
  readonly verifier: string;
  readonly redirectUri: string;
}

/** What the provider says of a person. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * The provider by which people sign in, over openid-client. Its addresses are read when they
 * are first needed, and again every hour; the ones from before stay while it does not answer.
 * Everything here ends within `oidc.timeout`.
 */
export class Provider {
  #known: { config: Configuration; readAt: number } | undefined;
  #reading: Promise<Configuration> | undefined;
  readonly #inTime: InBackground;

  constructor(
    private readonly settings: OidcConfig,
    private readonly parts: { readonly clock: Clock; readonly log: Logger },
  ) {
    this.#inTime = backgroundRunner({ ...parts, timeoutMs: settings.timeout });
  }

  /** Where a person's browser is sent. @throws PreconditionError when the provider does not answer */
  async begin(): Promise<{ begun: Omit<Begun, 'redirectUri'>; url(redirectUri: string): string }> {
    const library = await import('openid-client');
    const config = await this.#within(() => this.#configuration(library));
    const verifier = library.randomPKCECodeVerifier();
    const [state, nonce] = [library.randomState(), library.randomNonce()];
    const challenge = await library.calculatePKCECodeChallenge(verifier);
    const url = (redirectUri: string) =>
      library.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: this.settings.scope,
        ...{ state, nonce, code_challenge: challenge, code_challenge_method: 'S256' },
      }).href;
    return { begun: { state, nonce, verifier }, url };
  }

  /**
   * What the provider says of the person whose browser came back with `query`.
   *
   * @throws UnauthenticatedError when that is not an answer to this sign-in,
   *   PreconditionError when the provider does not answer
   */
  async claims(begun: Begun, query: string): Promise<Claims> {
    const library = await import('openid-client');
    return await this.#within(async () => {
      const config = await this.#configuration(library);
      const cameBackTo = new URL(begun.redirectUri);
      cameBackTo.search = query;
      const tokens = await library.authorizationCodeGrant(config, cameBackTo, {
        pkceCodeVerifier: begun.verifier,
        expectedNonce: begun.nonce,
        expectedState: begun.state,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (!claims) throw new Error('the provider gave no ID token');
      const { groups_claim: groups, name_claim: name } = this.settings;
      const isWhole = groups in claims && name in claims;
      if (isWhole || !config.serverMetadata().userinfo_endpoint) return claims;
      const more = await library.fetchUserInfo(config, tokens.access_token, claims.sub);
      return { ...more, ...claims };
    });
  }

  /** Calls that come together read once. */
  async #configuration(library: Library): Promise<Configuration> {
    const { clock, log } = this.parts;
    const known = this.#known;
    if (known && clock.monotonic() - known.readAt < discoverEveryMs) return known.config;
    this.#reading ??= this.#read(library).finally(() => {
      this.#reading = undefined;
    });
    try {
      return await this.#reading;
    } catch (error) {
      if (!known) throw error;
      log.warn({ why: messageOf(error) }, 'provider of sign-ins not read again');
      known.readAt = clock.monotonic();
      return known.config;
    }
  }

  async #read(library: Library): Promise<Configuration> {
    const { issuer, client_id: id, client_secret: secret, timeout } = this.settings;
    const execute = [library.enableNonRepudiationChecks];
    if (issuer.startsWith('http:')) execute.push(library.allowInsecureRequests);
    const options = { execute, timeout: timeout / 1000, [library.customFetch]: boundedFetch };
    const metadata = { [library.clockTolerance]: clockToleranceS };
    const proof = secret === '' ? library.None() : bySecret(library, secret);
    const config = await library.discovery(new URL(issuer), id, metadata, proof, options);
    this.#known = { config, readAt: this.parts.clock.monotonic() };
    return config;
  }

  /** Runs `work` within `oidc.timeout`, and says in our words what the library throws. */
  async #within<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#inTime('sign-in', (ctx) => orAbort(ctx.signal, work()));
    } catch (error) {
      throw this.#inWords(error);
    }
  }

  #inWords(error: unknown): Error {
    const { log } = this.parts;
    const { code = '', error: said = '' } = Object(error) as { code?: string; error?: unknown };
    // Words of the protocol; anything else of the provider's text stays in the log.
    const word = /^[a-z_]{1,40}$/.test(String(said)) ? String(said) : 'an error';
    if (code === 'OAUTH_AUTHORIZATION_RESPONSE_ERROR') {
      return refused(`the provider answered ${word}: sign in again, or ask who runs it`);
    }
    // Not the error itself: what the library adds to it has claims of the person.
    const why = [error, Object(error).cause].filter((one) => one instanceof Error).map(messageOf);
    log.warn({ issuer: this.settings.issuer, code, said: word, why }, 'sign-in failed');
    if (code === 'OAUTH_RESPONSE_BODY_ERROR' || code === 'OAUTH_WWW_AUTHENTICATE_CHALLENGE') {
      return refused(
        `the provider did not take what it was sent (${word}): sign in again; if that does not help, an admin looks at oidc in master.yaml and at the master's log`,
      );
    }
    if (isAway(error, code)) return away(this.settings.issuer);
    return refused(
      'what came back from the provider is not an answer to this sign-in, or not for this master: sign in again',
    );
  }
}

/** By HTTP's Basic scheme, as the standard has it, unless the provider takes the body alone. */
function bySecret(library: Library, secret: string): ClientAuth {
  const [basic, post] = [library.ClientSecretBasic(secret), library.ClientSecretPost(secret)];
  return (server, ...rest) => {
    const { token_endpoint_auth_methods_supported: methods } = server;
    const isBasic = methods === undefined || methods.includes('client_secret_basic');
    return (isBasic ? basic : post)(server, ...rest);
  };
}

/** Codes of answers that no provider gives which works. */
const brokenAnswers = new Set([
  ...['OAUTH_TIMEOUT', 'OAUTH_ABORT', 'OAUTH_RESPONSE_IS_NOT_CONFORM'],
  ...['OAUTH_RESPONSE_IS_NOT_JSON', 'OAUTH_PARSE_ERROR'],
]);

/** The library passes what its fetch throws as the cause of its own error. */
const isAway = (error: unknown, code: string): boolean =>
  error instanceof TimeoutError ||
  error instanceof NoAnswer ||
  (error instanceof Error && error.cause instanceof NoAnswer) ||
  brokenAnswers.has(code);

const refused = (why: string) => new UnauthenticatedError({ reason: 'SIGN_IN_REFUSED', why });

const away = (issuer: string) =>
  new PreconditionError({
    reason: 'PROVIDER_AWAY',
    why: `the provider of sign-ins at ${issuer} does not answer the master as it should: try again, or use a token; the master's log says more`,
  });

/** A request without an answer that is whole. */
class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Reads the whole answer, up to a bound. @throws NoAnswer */
const boundedFetch: CustomFetch = async (url, options) => {
  try {
    const response = await fetch(url, options as RequestInit);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      // Leaving the loop ends the request.
      if (size > mostBytes) throw new Error(`the answer is larger than ${mostBytes} bytes`);
      chunks.push(chunk);
    }
    const { status, headers } = response;
    return new Response(size === 0 ? null : Buffer.concat(chunks), { status, headers });
  } catch (cause) {
    throw new NoAnswer(messageOf(cause), { cause });
  }
};
