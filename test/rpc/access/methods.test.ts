import { status as Code } from '@grpc/grpc-js';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { unary } from '../../../src/client/call.js';
import { newId } from '../../../src/core/ids.js';
import type { Role as RoleName } from '../../../src/core/principal.js';
import { ErrorInfo } from '../../../src/gen/google/rpc/error_details.js';
import { Role } from '../../../src/gen/pandafuzz/v1/identity_service.js';
import { permissions } from '../../../src/rpc/permissions.js';
import { shared } from '../../harness.js';
import { runSecuredMaster, type SecuredMaster } from '../../secured.js';
import { eventually } from '../../steps.js';
import { everyMethod } from '../../wire/contract.js';
import { type RawAnswer, RawClient } from '../../wire/raw-client.js';
import { ask, endOf, envelope, json, jsonOf, serviceOf, stream } from '../connect/transport.js';

/** Services that are others', with all their methods. */
const others = [
  '/grpc.health.v1.Health/Check',
  '/grpc.health.v1.Health/List',
  '/grpc.health.v1.Health/Watch',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
];
const everyPath = [...everyMethod().map(({ path }) => path), ...others];

describe('the table of who may call what', () => {
  test('has every method of every service, and no other', () => {
    const pages = [...permissions.keys()].filter((key) => key.startsWith('HTTP'));
    const listed = [...everyPath, ...pages, '/grpc.health.v1.Health/Check of one service'];
    expect([...permissions.keys()].sort()).toEqual(listed.sort());
  });

  test('lets anybody ask without a token only whether the master is there, and sign in', () => {
    const open = [...permissions].filter(([, allowed]) => allowed === 'anyone');
    const signIn = ['BeginSignIn', 'FinishSignIn'].map(
      (name) => `/pandafuzz.v1.IdentityService/${name}`,
    );
    const paths = ['/grpc.health.v1.Health/Check', 'HTTP/healthz', 'HTTP/readyz'];
    expect(open.map(([path]) => path)).toEqual([...signIn, ...paths]);
  });

  test('gives what a bot does to bots alone, and what makes tokens to admins alone', () => {
    const allowed = (name: string) => permissions.get(`/pandafuzz.v1.${name}`);
    for (const name of ['BotService/Heartbeat', 'JobService/CompleteJob']) {
      expect(allowed(name)).toEqual(['bot']);
    }
    for (const name of ['IdentityService/CreateToken', 'SystemService/BackupDatabase']) {
      expect(allowed(name)).toEqual(['admin']);
    }
    const written = [...permissions].filter(([path]) => /\/(Create|Cancel|Delete|Set)/.test(path));
    for (const [, roles] of written) expect(roles).not.toContain('viewer');
  });
});

let scene: SecuredMaster;
/** The header of each kind of caller. */
let callers: Record<string, string | undefined>;
beforeAll(async () => {
  scene = await shared(() => runSecuredMaster());
  const { token, admin } = scene;
  const [viewer, operator, bot, enrol] = await Promise.all([
    token(Role.VIEWER),
    token(Role.OPERATOR),
    token(Role.BOT),
    token(Role.ENROL),
  ]);
  const revoked = await token(Role.ADMIN);
  await unary(admin.identity, admin.identity.revokeToken, { tokenId: revoked.id });
  const expired = await token(Role.ADMIN, { validSeconds: 1 });
  await eventually(async () => {
    const late = scene.as(expired.secret);
    const answer = unary(late.identity, late.identity.getCaller, {});
    return (await answer.then(
      () => undefined,
      () => 'refused',
    )) as string | undefined;
  });
  callers = {
    none: undefined,
    malformed: 'Bearer pf_admin_0123',
    'of another scheme': `Basic ${scene.adminToken}`,
    unknown: `Bearer pf_admin_${'0'.repeat(64)}`,
    expired: `Bearer ${expired.secret}`,
    revoked: `Bearer ${revoked.secret}`,
    viewer: `Bearer ${viewer.secret}`,
    operator: `Bearer ${operator.secret}`,
    admin: `bearer ${scene.adminToken}`,
    bot: `Bearer ${bot.secret}`,
    enrol: `Bearer ${enrol.secret}`,
  };
});

const reasonOf = ({ details }: RawAnswer): string => {
  const info = details.details.find(({ typeUrl }) => typeUrl.endsWith('ErrorInfo'));
  return info ? ErrorInfo.decode(info.value).reason : '';
};

const withoutToken: Record<string, string> = {
  none: 'TOKEN_MISSING',
  malformed: 'TOKEN_MALFORMED',
  'of another scheme': 'TOKEN_MALFORMED',
  unknown: 'TOKEN_UNKNOWN',
  expired: 'TOKEN_EXPIRED',
  revoked: 'TOKEN_REVOKED',
};

/** What the table says that a caller gets: a status and a reason; undefined: it is let through. */
function expected(path: string, caller: string): object | undefined {
  const allowed = permissions.get(path);
  if (allowed === 'anyone') return undefined;
  const reason = withoutToken[caller];
  if (reason) return { code: Code.UNAUTHENTICATED, reason };
  if (allowed?.includes(caller as RoleName)) return undefined;
  return { code: Code.PERMISSION_DENIED, reason: 'ROLE_NOT_ALLOWED' };
}

const everyCaller = [
  'none',
  'malformed',
  'of another scheme',
  'unknown',
  'expired',
  'revoked',
  'viewer',
  'operator',
  'admin',
  'bot',
  'enrol',
];

test.each(everyCaller)('a caller (%s) gets of each method what the table says', async (caller) => {
  const client = new RawClient(scene.address);
  const authorization = callers[caller];
  const answers = everyPath.map(async (path) => {
    const wanted = expected(path, caller);
    const headers = {
      ...(!wanted && { 'grpc-timeout': '2S' }),
      ...(authorization && { authorization }),
    };
    const call = client.open(path, headers);
    call.send(Buffer.alloc(0));
    // What is let through and waits for more is ended by the test.
    if (wanted) call.end();
    else setImmediate(() => call.end());
    const answer = await call.answer;
    const got = { code: answer.code, reason: reasonOf(answer) };
    if (wanted)
      return [
        { path, ...got },
        { path, ...wanted },
      ];
    const isRefused = got.code === Code.UNAUTHENTICATED || got.reason === 'ROLE_NOT_ALLOWED';
    return [
      { path, isRefused },
      { path, isRefused: false },
    ];
  });
  for (const [got, wanted] of await Promise.all(answers)) expect(got).toEqual(wanted);
});

/** What is called over HTTP, and whether it answers with a stream. */
const overHttp = everyMethod().flatMap(({ name, path }) => {
  const [service = '', method] = name.split('/');
  const found = serviceOf(service).methods.find((one) => one.name === method);
  if (!found || found.methodKind === 'client_streaming' || found.methodKind === 'bidi_streaming') {
    return [];
  }
  return [{ path, isStream: found.methodKind === 'server_streaming' }];
});

test.each(everyCaller)('a caller (%s) by the Connect protocol gets the same', async (caller) => {
  const authorization = callers[caller];
  // An address of its own: so many refusals of one address would not be looked at.
  const localAddress = `127.0.0.${2 + everyCaller.indexOf(caller)}`;
  const answers = overHttp.map(async ({ path, isStream }) => {
    const wanted = expected(path, caller);
    const headers = {
      ...(isStream ? stream : json),
      ...(!wanted && { 'connect-timeout-ms': '2000' }),
      ...(authorization && { authorization }),
    };
    const body = isStream ? envelope('{}') : '{}';
    const answer = await ask(scene.master.http, path, { headers, body, localAddress });
    const error = isStream ? endOf(answer)['error'] : answer.status !== 200 && jsonOf(answer);
    const { code, details } = Object(error);
    const reason = details?.[0].debug?.reason ?? '';
    if (wanted)
      return [
        { path, code, reason },
        { path, ...wanted },
      ];
    const isRefused = code === 'unauthenticated' || reason === 'ROLE_NOT_ALLOWED';
    return [
      { path, isRefused },
      { path, isRefused: false },
    ];
  });
  const names: Record<number, string> = {
    [Code.UNAUTHENTICATED]: 'unauthenticated',
    [Code.PERMISSION_DENIED]: 'permission_denied',
  };
  for (const [got, wanted] of await Promise.all(answers)) {
    const { code, ...rest } = Object(wanted);
    expect(got).toEqual({ ...rest, ...(code !== undefined && { code: names[code] }) });
  }
});

test('what other callers may not learn is not told without a token', async () => {
  const client = new RawClient(scene.address);
  const answer = await client.call('/pandafuzz.v1.JobService/GetJob', [Buffer.from(newId())]);
  expect(answer.code).toBe(Code.UNAUTHENTICATED);
  expect(answer.message).toContain('PANDAFUZZ_TOKEN');
});
