import { request as send } from 'node:http';
import { unary } from '../../../src/client/call.js';
import { connect } from '../../../src/client/connect.js';
import { atEnd } from '../../endings.js';
import type { Crookedness } from '../../providers/crooked.js';
import { type Abuse, abuse, distinct, outcome } from '../abuse.js';
import type { Stage } from '../stage.js';

/**
 * Sign-ins by the provider. Tokens of the provider that are not for this sign-in, one by one, are
 * in test/rpc/access/sign-in.test.ts.
 */

function guest({ address }: Stage) {
  const connection = connect(address);
  atEnd(() => connection.close());
  return connection.identity;
}

const begin = (stage: Stage, redirectUri = 'http://127.0.0.1:1/callback') => {
  const identity = guest(stage);
  return unary(identity, identity.beginSignIn, { redirectUri });
};

const finish = (stage: Stage, signIn: string, answer: string) => {
  const identity = guest(stage);
  return outcome(unary(identity, identity.finishSignIn, { signIn, answer }));
};

/** A sign-in, and what the provider would send back for it. */
async function begun(stage: Stage, next: Crookedness = {}) {
  stage.provider.next = next;
  const { signIn, authorizationUrl } = await begin(stage);
  return { signIn, answer: stage.provider.answerTo(authorizationUrl) };
}

/** FinishSignIn over HTTP. @returns the status */
function post(
  { http }: Stage,
  body: object,
  headers: Readonly<Record<string, string>>,
  localAddress?: string,
): Promise<string> {
  const [host = '', port] = http.split(':');
  const path = '/pandafuzz.v1.IdentityService/FinishSignIn';
  const json = { 'content-type': 'application/json', ...headers };
  const wanted = { host, port, path, method: 'POST', headers: json, agent: false, localAddress };
  return new Promise((resolve, reject) => {
    const asked = send(wanted, (response) => {
      response.resume().once('end', () => resolve(`HTTP ${response.statusCode}`));
    });
    asked.on('error', reject);
    asked.end(JSON.stringify(body));
  });
}

/** Where a sign-in must not end. */
const elsewhere = [
  'https://evil.example/callback',
  '//evil.example/callback',
  'http://127.0.0.1.evil.example:1/callback',
  'http://127.0.0.1:1@evil.example/callback',
  'http://127.0.0.1:1/callback?next=https://evil.example',
  'http://127.0.0.1:1/callback#a',
  'http://127.0.0.1:1/other',
  'http://127.0.0.1/callback',
  'http://localhost:1/callback',
  'http://[::1]:1/callback',
  'https://127.0.0.1:1/callback',
  'javascript:alert(1)//callback',
  ' http://127.0.0.1:1/callback',
  'http://127.0.0.1:1/callback\n',
];

const answers: readonly Abuse[] = [
  abuse('a way back to somebody else (open redirect)', 'INVALID_ARGUMENT', async (s) =>
    distinct(await Promise.all(elsewhere.map((uri) => outcome(begin(s, uri))))),
  ),
  abuse(
    'the code of somebody else’s sign-in (CSRF of sign-in)',
    'UNAUTHENTICATED SIGN_IN_REFUSED',
    async (s) => {
      const [own, other] = [await begun(s), await begun(s)];
      return await finish(s, own.signIn, other.answer.toString());
    },
  ),
  abuse(
    'the code of somebody else with the state of one’s own',
    'UNAUTHENTICATED SIGN_IN_REFUSED',
    async (s) => {
      const [own, other] = [await begun(s), await begun(s)];
      other.answer.set('state', own.answer.get('state') ?? '');
      return await finish(s, own.signIn, other.answer.toString());
    },
  ),
  abuse('a sign-in that is finished again', 'UNAUTHENTICATED SIGN_IN_USED', async (s) => {
    const { signIn, answer } = await begun(s);
    const first = await finish(s, signIn, answer.toString());
    return first === 'OK' ? await finish(s, signIn, answer.toString()) : first;
  }),
  abuse(
    'a sign-in that is finished twice at once',
    'OK, UNAUTHENTICATED SIGN_IN_USED',
    async (s) => {
      const { signIn, answer } = await begun(s);
      const both = [1, 2].map(() => finish(s, signIn, answer.toString()));
      return distinct(await Promise.all(both));
    },
  ),
  abuse('a sign-in that was invented, or changed', 'UNAUTHENTICATED SIGN_IN_EXPIRED', async (s) => {
    const { signIn, answer } = await begun(s);
    const bytes = Buffer.from(signIn, 'base64');
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    const tries = [bytes.toString('base64'), 'x', Buffer.alloc(300).toString('base64')];
    return distinct(await Promise.all(tries.map((one) => finish(s, one, answer.toString()))));
  }),
  abuse(
    'answers with an error, without a code, with two',
    'UNAUTHENTICATED SIGN_IN_REFUSED',
    async (s) => {
      const changes: ((answer: URLSearchParams) => void)[] = [
        (answer) => answer.set('error', 'access_denied\u001b[2J'),
        (answer) => answer.delete('code'),
        (answer) => answer.delete('state'),
        (answer) => answer.append('code', 'another'),
        (answer) => answer.append('state', 'another'),
        (answer) => answer.set('iss', 'https://evil.example'),
      ];
      const ends: string[] = [];
      for (const change of changes) {
        const { signIn, answer } = await begun(s);
        change(answer);
        ends.push(await finish(s, signIn, answer.toString()));
      }
      return distinct(ends);
    },
  ),
  abuse('an answer of a megabyte, or with control characters', 'INVALID_ARGUMENT', async (s) => {
    const { signIn } = await begun(s);
    const long = 'x'.repeat(400_000);
    const tries = [finish(s, signIn, long), finish(s, long, 'a'), finish(s, signIn, 'a\nb')];
    return distinct(await Promise.all(tries));
  }),
  abuse('a sign-in that another site finishes', 'HTTP 403', async (s) => {
    const { signIn, answer } = await begun(s);
    const body = { signIn, answer: answer.toString() };
    const sites: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
    ];
    return distinct(await Promise.all(sites.map((headers) => post(s, body, headers))));
  }),
  abuse(
    'a person without a group of this master',
    'PERMISSION_DENIED NO_GROUP_WITH_A_ROLE',
    async (s) => {
      const { signIn, answer } = await begun(s, { claims: { groups: ['__proto__', 'admin'] } });
      return await finish(s, signIn, answer.toString());
    },
  ),
];

const floods: readonly Abuse[] = [
  abuse('sign-ins by the hundred that nobody finishes', 'OK', async (s) => {
    const identity = guest(s);
    const request = { redirectUri: 'http://127.0.0.1:1/callback' };
    const ends: string[] = [];
    for (let round = 0; round < 5; round++) {
      const some = Array.from({ length: 100 }, () =>
        outcome(unary(identity, identity.beginSignIn, request)),
      );
      ends.push(...(await Promise.all(some)));
    }
    return distinct(ends);
  }),
  abuse('codes that are guessed, from one address', 'HTTP 401, HTTP 429', async (s) => {
    // From an address of its own: so many are not looked at any more.
    const localAddress = '127.0.0.77';
    const guesses = Array.from({ length: 130 }, () =>
      post(s, { signIn: 'guessed', answer: 'code=1&state=2' }, {}, localAddress),
    );
    return distinct(await Promise.all(guesses));
  }),
];

export const signIn: readonly Abuse[] = [...answers, ...floods];
