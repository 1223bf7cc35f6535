import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { atEnd } from '../endings.js';

/** How this provider answers the next code; absent: as it should. */
export interface Crookedness {
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Signs with a key that it does not publish. */
  readonly isForged?: boolean;
  /** The whole answer to the code. */
  readonly answer?: (response: ServerResponse) => void;
}

/** A provider without people: it takes any code, and says of them what a test wants. */
export class CrookedProvider {
  next: Crookedness = {};
  /** Codes that came. */
  codes = 0;
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly #others = generateKeyPairSync('rsa', { modulusLength: 2048 });
  issuer = '';

  static async start(): Promise<CrookedProvider> {
    const provider = new CrookedProvider();
    const server = createServer((request, response) => provider.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    provider.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    atEnd(() => {
      server.closeAllConnections();
      server.close();
    });
    return provider;
  }

  /** What comes back with the browser that was sent to this address. The code is the nonce. */
  answerTo(authorizationUrl: string): URLSearchParams {
    const { searchParams } = new URL(authorizationUrl);
    const [state, nonce] = [searchParams.get('state') ?? '', searchParams.get('nonce') ?? ''];
    return new URLSearchParams({ code: nonce, state });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { issuer } = this;
    if (request.url === '/.well-known/openid-configuration') {
      json(response, {
        ...{ issuer, authorization_endpoint: `${issuer}/authorize`, jwks_uri: `${issuer}/keys` },
        ...{ token_endpoint: `${issuer}/token`, response_types_supported: ['code'] },
        id_token_signing_alg_values_supported: ['RS256'],
      });
    } else if (request.url === '/keys') {
      const jwk = this.#keys.publicKey.export({ format: 'jwk' });
      json(response, { keys: [{ ...jwk, kid: 'one', use: 'sig', alg: 'RS256' }] });
    } else {
      this.codes++;
      let body = '';
      for await (const chunk of request) body += chunk;
      const nonce = new URLSearchParams(body).get('code');
      if (this.next.answer) this.next.answer(response);
      else json(response, this.#tokens(nonce ?? ''));
    }
  }

  #tokens(nonce: string): object {
    const now = Math.floor(Date.now() / 1000);
    const usual = {
      ...{ iss: this.issuer, aud: 'pandafuzz', sub: 'alice', nonce, iat: now, exp: now + 300 },
      ...{ email: 'alice@example.org', groups: ['fuzz-web'] },
    };
    const { claims, isForged = false } = this.next;
    const key = (isForged ? this.#others : this.#keys).privateKey;
    const idToken = signed({ ...usual, ...claims }, key);
    return { access_token: 'one', token_type: 'Bearer', expires_in: 300, id_token: idToken };
  }
}

function signed(claims: object, key: KeyObject): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'RS256', kid: 'one' })}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

function json(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}
