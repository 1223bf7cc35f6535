import { status as Code } from '@grpc/grpc-js';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { unary } from '../../../src/client/call.js';
import { type Connection, connect } from '../../../src/client/connect.js';
import { failureOf } from '../../../src/client/failure.js';
import { Role } from '../../../src/gen/pandafuzz/v1/identity_service.js';
import { atEnd, shared } from '../../harness.js';
import { type Crookedness, CrookedProvider } from '../../providers/crooked.js';
import { Person } from '../../providers/person.js';
import { type RealProvider, settingsFor, startProvider } from '../../providers/real.js';
import { runSecuredMaster, type SecuredMaster } from '../../secured.js';
import { eventually } from '../../steps.js';

/** A command listens there; nothing of these tests does. */
const redirectUri = 'http://127.0.0.1:4711/callback';

const begin = ({ identity }: Connection) => unary(identity, identity.beginSignIn, { redirectUri });
const finish = ({ identity }: Connection, signIn: string, answer: string) =>
  unary(identity, identity.finishSignIn, { signIn, answer });

/** The reason of a refusal; 'OK' where there is none. */
const reasonOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'OK',
    (error) => failureOf(error)?.reason ?? String(error),
  );

function guestOf({ address }: SecuredMaster): Connection {
  const connection = connect(address);
  atEnd(() => connection.close());
  return connection;
}

describe('by a provider', () => {
  let scene: SecuredMaster;
  let guest: Connection;
  let provider: RealProvider;
  beforeAll(async () => {
    await shared(async () => {
      provider = await startProvider();
      scene = await runSecuredMaster(settingsFor(provider.issuer));
      guest = guestOf(scene);
    });
  });

  async function signIn(name: string) {
    const begun = await begin(guest);
    const answer = await new Person(name).signInAt(begun.authorizationUrl);
    return { begun, answer, made: await finish(guest, begun.signIn, answer) };
  }

  test('a person gets the role and the projects of their groups, for a time', async () => {
    const { made } = await signIn('alice');
    expect(made.secret).toMatch(/^pf_operator_[0-9a-f]{64}$/);
    expect(made.token).toMatchObject({
      name: 'alice@example.org',
      role: Role.OPERATOR,
      projects: ['shop', 'web'],
      createdBy: expect.stringMatching(/^http:\/\/127\.0\.0\.1:/),
    });
    const left = Number(made.token?.expiresAt) - Number(made.token?.createdAt);
    expect(Math.round(left / 60_000)).toBe(12 * 60);
    const alice = scene.as(made.secret);
    const { token } = await unary(alice.identity, alice.identity.getCaller, {});
    expect(token?.id).toBe(made.token?.id);
    const { admin } = scene;
    await unary(admin.identity, admin.identity.revokeToken, { tokenId: made.token?.id ?? '' });
    expect(await reasonOf(unary(alice.identity, alice.identity.getCaller, {}))).toBe(
      'TOKEN_REVOKED',
    );
  });

  test('the highest role counts', async () => {
    const { made } = await signIn('root');
    expect(made.token).toMatchObject({ role: Role.ADMIN, projects: [] });
  });

  test('who has no group with a role gets nothing, and is told', async () => {
    const begun = await begin(guest);
    const answer = await new Person('mallory').signInAt(begun.authorizationUrl);
    const refused = await finish(guest, begun.signIn, answer).catch(failureOf);
    expect(refused).toMatchObject({
      code: Code.PERMISSION_DENIED,
      reason: 'NO_GROUP_WITH_A_ROLE',
      message: expect.stringContaining('oidc.groups'),
    });
  });

  test('a sign-in is finished once, and its code is taken once', async () => {
    const { begun, answer } = await signIn('alice');
    expect(await reasonOf(finish(guest, begun.signIn, answer))).toBe('SIGN_IN_USED');
    // The same code in another sign-in has another state; given that, the provider refuses it.
    const other = await begin(guest);
    expect(await reasonOf(finish(guest, other.signIn, answer))).toBe('SIGN_IN_REFUSED');
    const third = await begin(guest);
    const state = new URL(third.authorizationUrl).searchParams.get('state') ?? '';
    const query = new URL(answer).searchParams;
    query.set('state', state);
    expect(await reasonOf(finish(guest, third.signIn, query.toString()))).toBe('SIGN_IN_REFUSED');
  });

  test('whoever signs out ends their token; another token is not ended so', async () => {
    const { made } = await signIn('alice');
    const { identity } = scene.as(made.secret);
    expect(await reasonOf(unary(identity, identity.signOut, {}))).toBe('OK');
    expect(await reasonOf(unary(identity, identity.getCaller, {}))).toBe('TOKEN_REVOKED');
    const own = scene.admin.identity;
    expect(await reasonOf(unary(own, own.signOut, {}))).toBe('NOT_SIGNED_IN');
  });

  test('sign-ins, made and refused, are in the audit log', async () => {
    const { made } = await signIn('alice');
    const entries = await eventually(async () => {
      const { identity } = scene.admin;
      const all = { pageSize: 1000, pageToken: '', caller: '', since: undefined };
      const found = await unary(identity, identity.listAuditEntries, {
        ...all,
        oldestFirst: false,
      });
      const own = found.entries.filter(({ method }) => method === 'IdentityService/FinishSignIn');
      return own.some(({ outcome }) => outcome === 'NO_GROUP_WITH_A_ROLE') ? own : undefined;
    });
    expect(entries.find(({ tokenId }) => tokenId === made.token?.id)).toMatchObject({
      ...{ caller: 'alice@example.org', role: 'operator', outcome: 'OK', address: '127.0.0.1' },
      about: expect.stringContaining(
        '["name","alice@example.org"],["subject","alice"],["role","operator"],["projects","shop, web"]',
      ),
    });
    expect(JSON.stringify(entries)).toContain('mallory@example.org');
  });

  test('while the provider is away, sign-ins fail and those who have signed in go on', async () => {
    const { made } = await signIn('alice');
    const begun = await begin(guest);
    await provider.leave();
    const refused = await finish(guest, begun.signIn, 'code=a&state=b').catch(failureOf);
    // The state is looked at before anybody is asked.
    expect(refused).toMatchObject({ reason: 'SIGN_IN_REFUSED' });
    const again = await begin(guest);
    const state = new URL(again.authorizationUrl).searchParams.get('state') ?? '';
    const own = new URLSearchParams({ code: 'a', state, iss: provider.issuer }).toString();
    const late = await finish(guest, again.signIn, own).catch(failureOf);
    expect(late).toMatchObject({
      code: Code.FAILED_PRECONDITION,
      reason: 'PROVIDER_AWAY',
      message: expect.stringContaining('does not answer'),
    });
    const alice = scene.as(made.secret);
    expect(await reasonOf(unary(alice.identity, alice.identity.getCaller, {}))).toBe('OK');
  });
});

describe('a provider that answers wrongly', () => {
  let provider: CrookedProvider;
  let scene: SecuredMaster;
  let guest: Connection;
  beforeAll(async () => {
    await shared(async () => {
      provider = await CrookedProvider.start();
      const settings = { ...settingsFor(provider.issuer), PANDAFUZZ_OIDC_TIMEOUT: '1s' };
      scene = await runSecuredMaster(settings);
      guest = guestOf(scene);
    });
  });

  async function given(next: Crookedness): Promise<string> {
    provider.next = next;
    const begun = await begin(guest);
    const answer = provider.answerTo(begun.authorizationUrl).toString();
    return await reasonOf(finish(guest, begun.signIn, answer));
  }

  const now = Math.floor(Date.now() / 1000);
  const tokensOfOthers: [string, Crookedness][] = [
    ['another issuer', { claims: { iss: 'https://evil.example' } }],
    ['another audience', { claims: { aud: 'somebody-else' } }],
    ['another sign-in', { claims: { nonce: 'of another' } }],
    ['an hour ago', { claims: { iat: now - 7200, exp: now - 3600 } }],
    ['no time', { claims: { exp: undefined } }],
    ['nobody', { claims: { sub: undefined } }],
    ['a forger', { isForged: true }],
  ];
  test.each(tokensOfOthers)('an ID token of %s makes no session', async (_, next) => {
    expect(await given(next)).toBe('SIGN_IN_REFUSED');
  });

  test('one that is as it should be does', async () => {
    expect(await given({})).toBe('OK');
  });

  test.each([
    ['nothing', undefined],
    ['a list of numbers', [1, 2]],
    ['an object', { 'fuzz-web': true }],
    ['another name', 'fuzz-web2'],
  ])('groups that are %s give no role', async (_, groups) => {
    expect(await given({ claims: { groups } })).toBe('NO_GROUP_WITH_A_ROLE');
  });

  test.each([
    ['is no JSON', { answer: (r) => r.end('<html>') }],
    ['breaks off', { answer: (r) => r.destroy() }],
    ['is an error of its own', { answer: (r) => r.writeHead(503).end() }],
    ['never comes', { answer: () => {} }],
    ['has no end', { answer: (r) => void r.writeHead(200).write('x'.repeat(2 ** 21)) }],
  ] as [string, Crookedness][])(
    'an answer that %s is said to be the provider’s',
    async (_, next) => {
      expect(await given(next)).toBe('PROVIDER_AWAY');
    },
  );

  test.each([
    ['email that is not verified', { email_verified: false }, 'alice'],
    ['no email', { email: undefined }, 'alice'],
    ['a name of the master’s own', { email: 'master' }, 'alice'],
    ['a name that turns what follows it', { email: 'a\u202eb' }, 'alice'],
  ])('a person with %s is called by the subject', async (_, claims, name) => {
    provider.next = { claims };
    const begun = await begin(guest);
    const answer = provider.answerTo(begun.authorizationUrl).toString();
    expect((await finish(guest, begun.signIn, answer)).token?.name).toBe(name);
  });

  test('the oldest sign-in of a person ends when there are twenty others', async () => {
    provider.next = { claims: { email: 'often@example.org' } };
    const secrets: string[] = [];
    for (let i = 0; i < 21; i++) {
      const begun = await begin(guest);
      const answer = provider.answerTo(begun.authorizationUrl).toString();
      secrets.push((await finish(guest, begun.signIn, answer)).secret);
    }
    const ends = secrets.slice(0, 2).map((secret) => {
      const { identity } = scene.as(secret);
      return reasonOf(unary(identity, identity.getCaller, {}));
    });
    expect(await Promise.all(ends)).toEqual(['TOKEN_REVOKED', 'OK']);
  });
});

test('a master without a provider says so', async () => {
  const scene = await runSecuredMaster();
  expect(await reasonOf(begin(guestOf(scene)))).toBe('NO_PROVIDER');
});

test('a master whose provider does not answer says so', async () => {
  const scene = await runSecuredMaster(settingsFor('http://127.0.0.1:9'));
  expect(await reasonOf(begin(guestOf(scene)))).toBe('PROVIDER_AWAY');
});
