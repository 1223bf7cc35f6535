import { request as send } from 'node:http';
import { unary } from '../../../src/client/call.js';
import { CreateTokenRequest, Role } from '../../../src/gen/pandafuzz/v1/identity_service.js';
import { type Abuse, abuse, distinct } from '../abuse.js';
import type { Stage } from '../stage.js';

/** Sessions of the page, and what pages of other sites try with the browser of somebody who has one. */

type Headers = Readonly<Record<string, string>>;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function ask({ http }: Stage, method: string, path: string, headers: Headers): Promise<Answer> {
  const [host = '', port] = http.split(':');
  return new Promise((resolve, reject) => {
    const asked = send({ host, port, method, path, headers, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    asked.on('error', reject);
    asked.end(method === 'POST' && path !== '/session' ? '{}' : undefined);
  });
}

const listJobs = '/pandafuzz.v1.JobService/ListJobs';
/** As a script of the page asks. */
const own = { 'sec-fetch-site': 'same-origin', 'connect-protocol-version': '1' };
const json = { 'content-type': 'application/json' };

const signIn = async (stage: Stage, token: string, more: Headers = {}) =>
  ask(stage, 'POST', '/session', { ...own, authorization: `Bearer ${token}`, ...more });

const cookieIn = ({ headers }: Answer): string =>
  String(headers['set-cookie'] ?? '').split(';', 1)[0] ?? '';

const session = async (stage: Stage): Promise<string> =>
  cookieIn(await signIn(stage, stage.tokens.viewer));

const list = async (stage: Stage, headers: Headers): Promise<string> => {
  const { status, body } = await ask(stage, 'POST', listJobs, { ...json, ...headers });
  return `HTTP ${status}${/TOKEN_MISSING|SESSION_ENDED|TOKEN_REVOKED/.exec(body)?.[0].replace(/^/, ' ') ?? ''}`;
};

/** Headers of requests that pages of other sites, forms and links can make. */
const foreign: readonly Headers[] = [
  { ...own, 'sec-fetch-site': 'cross-site' },
  { ...own, 'sec-fetch-site': 'same-site' },
  { ...own, 'sec-fetch-site': 'none' },
  { 'sec-fetch-site': 'same-origin' },
  { 'connect-protocol-version': '1' },
  { 'connect-protocol-version': '1', origin: 'https://evil.example' },
  { 'connect-protocol-version': '1', origin: 'null' },
];

const otherSites: readonly Abuse[] = [
  abuse('a call with a session, from anywhere but the page', 'HTTP 403', async (s) => {
    const cookie = await session(s);
    return distinct(await Promise.all(foreign.map((headers) => list(s, { ...headers, cookie }))));
  }),
  abuse('a read by GET with a session, as a link or a picture makes it', 'HTTP 403', async (s) => {
    const cookie = await session(s);
    const query = `${listJobs}?encoding=json&message=%7B%7D`;
    return `HTTP ${(await ask(s, 'GET', query, { cookie, 'sec-fetch-site': 'none' })).status}`;
  }),
  abuse('signing somebody in or out from another site', 'HTTP 403', async (s) => {
    const authorization = `Bearer ${s.tokens.viewer}`;
    const tries = foreign.flatMap((headers) => [
      ask(s, 'POST', '/session', { ...headers, authorization }),
      ask(s, 'DELETE', '/session', headers),
    ]);
    const answers = await Promise.all(tries);
    if (answers.some((answer) => cookieIn(answer) !== '')) return 'a cookie';
    return distinct(answers.map(({ status }) => `HTTP ${status}`));
  }),
  abuse('a frame around the page', "frame-ancestors 'none'", async (s) => {
    const pages = await Promise.all(
      ['/', '/groups/a', '/index.html'].map((p) => ask(s, 'GET', p, {})),
    );
    return distinct(
      pages.map(({ headers }) =>
        String(/frame-ancestors [^;]*/.exec(String(headers['content-security-policy']))?.[0]),
      ),
    );
  }),
  abuse('a way out by an address of the page (open redirect)', 'HTTP 200, HTTP 404', async (s) => {
    const ways = [
      '//evil.example/',
      '/\\evil.example',
      '/%2f%2fevil.example',
      '/?next=//evil.example',
      '/sign-in?to=https://evil.example',
    ];
    const answers = await Promise.all(ways.map((path) => ask(s, 'GET', path, {})));
    if (answers.some(({ headers }) => headers['location'] !== undefined)) return 'a redirect';
    return distinct(answers.map(({ status }) => `HTTP ${status}`));
  }),
];

const cookies: readonly Abuse[] = [
  abuse('a cookie that a script, a link or an open line can see', /^$/, async (s) => {
    const { headers } = await signIn(s, s.tokens.viewer);
    const text = String(headers['set-cookie']);
    const { headers: tls } = await signIn(s, s.tokens.viewer, { origin: `https://${s.http}` });
    const missing = ['HttpOnly', 'SameSite=Strict', 'Path=/'].filter((one) => !text.includes(one));
    const isSecure = /^__Host-.*; Secure$/.test(String(tls['set-cookie']));
    return [...missing, ...(isSecure ? [] : ['Secure'])].join();
  }),
  abuse('a session that somebody else chose (fixation)', 'HTTP 401 SESSION_ENDED', async (s) => {
    const chosen = await session(s);
    const given = cookieIn(await signIn(s, s.tokens.operator, { cookie: chosen }));
    if (given === chosen) return 'the same cookie';
    return await list(s, { ...own, cookie: chosen });
  }),
  abuse('a cookie with an invented secret', 'HTTP 401 SESSION_ENDED', async (s) => {
    const [name] = (await session(s)).split('=');
    return await list(s, { ...own, cookie: `${name}=${'0'.repeat(64)}` });
  }),
  abuse('a token in the place of a session', 'HTTP 401 TOKEN_MISSING', async (s) => {
    const [name] = (await session(s)).split('=');
    return await list(s, { ...own, cookie: `${name}=${s.tokens.admin}` });
  }),
  abuse('a cookie after its session was ended', 'HTTP 401 SESSION_ENDED', async (s) => {
    const cookie = await session(s);
    if ((await list(s, { ...own, cookie })) !== 'HTTP 200') return 'no session';
    await ask(s, 'DELETE', '/session', { ...own, cookie });
    return await list(s, { ...own, cookie });
  }),
  abuse('a session whose token was revoked', 'HTTP 401 TOKEN_REVOKED', async (s) => {
    const { identity } = s.admin;
    const wish = CreateTokenRequest.fromPartial({ name: 'page', role: Role.ADMIN });
    const { secret, token } = await unary(identity, identity.createToken, wish);
    const cookie = cookieIn(await signIn(s, secret));
    await unary(identity, identity.revokeToken, { tokenId: token?.id ?? '' });
    return await list(s, { ...own, cookie });
  }),
  abuse('a session for a bot, and for nobody', 'HTTP 401, HTTP 403', async (s) => {
    const tries = [s.tokens.bot, 'pf_viewer_0', ''].map((token) => signIn(s, token));
    const answers = await Promise.all(tries);
    if (answers.some((answer) => cookieIn(answer) !== '')) return 'a cookie';
    return distinct(answers.map(({ status }) => `HTTP ${status}`));
  }),
  abuse('a viewer’s session that changes something', 'HTTP 403', async (s) => {
    const cookie = await session(s);
    const path = '/pandafuzz.v1.JobService/CancelJob';
    const { status } = await ask(s, 'POST', path, { ...own, ...json, cookie });
    return `HTTP ${status}`;
  }),
  abuse('more sessions than one token may have', 'HTTP 401 SESSION_ENDED', async (s) => {
    const first = await session(s);
    for (let round = 0; round < 100; round++) await session(s);
    return await list(s, { ...own, cookie: first });
  }),
];

export const page: readonly Abuse[] = [...otherSites, ...cookies];
