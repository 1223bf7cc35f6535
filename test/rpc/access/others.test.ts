import { status as Code } from '@grpc/grpc-js';
import { beforeAll, expect, test } from '@jest/globals';
import { unary } from '../../../src/client/call.js';
import { Role } from '../../../src/gen/pandafuzz/v1/identity_service.js';
import { shared } from '../../harness.js';
import { runSecuredMaster, type SecuredMaster } from '../../secured.js';
import { eventually } from '../../steps.js';
import { RawClient } from '../../wire/raw-client.js';
import { ask, endOf, envelope, stream } from '../connect/transport.js';

let scene: SecuredMaster;
beforeAll(async () => {
  scene = await shared(() => runSecuredMaster());
});

const check = '/grpc.health.v1.Health/Check';
const ofJobs = Buffer.concat([Buffer.from([10, 24]), Buffer.from('pandafuzz.v1.JobService ')]);

test('anyone may ask whether the master serves, not how its services are', async () => {
  const client = new RawClient(scene.address);
  const { code, messages } = await client.call(check, [Buffer.alloc(0)]);
  expect([code, messages]).toEqual([Code.OK, [Buffer.from([8, 1])]]);
  expect((await client.call(check, [ofJobs])).code).toBe(Code.UNAUTHENTICATED);
  const authorization = `Bearer ${scene.adminToken}`;
  // It is no service of that name; but it was asked.
  expect((await client.call(check, [ofJobs], { authorization })).code).toBe(Code.NOT_FOUND);
});

test.each([
  '/grpc.health.v1.Health/Watch',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/pandafuzz.v1.JobService/WatchJobs',
  '/pandafuzz.v1.SystemService/HoldBlobs',
])('a stream of %s ends when its token is revoked', async (path) => {
  const role = path.includes('HoldBlobs') ? Role.ADMIN : Role.VIEWER;
  const { secret, id } = await scene.token(role);
  const call = new RawClient(scene.address).open(path, { authorization: `Bearer ${secret}` });
  const begun = new Promise((resolve) => call.stream.once('data', resolve));
  const isReflection = path.includes('reflection');
  call.send(isReflection ? Buffer.from([58, 0]) : Buffer.alloc(0)); // list_services
  if (!isReflection) call.end();
  if (!path.includes('WatchJobs')) await begun;
  else await unary(scene.admin.system, scene.admin.system.getSystemStats, {});
  const { identity } = scene.admin;
  await unary(identity, identity.revokeToken, { tokenId: id });
  const answer = await call.answer;
  expect([answer.code, answer.message]).toEqual([Code.UNAUTHENTICATED, 'this token was revoked']);
});

test('a stream by the Connect protocol ends when its token is revoked', async () => {
  const { secret, id } = await scene.token(Role.VIEWER);
  const headers = { ...stream, authorization: `Bearer ${secret}` };
  const question = { headers, body: envelope('{}') };
  const watching = ask(scene.master.http, '/pandafuzz.v1.JobService/WatchJobs', question);
  await eventually(async () => {
    const asAdmin = { method: 'GET', headers: { authorization: `Bearer ${scene.adminToken}` } };
    const { body } = await ask(scene.master.http, '/metrics', asAdmin);
    return body.includes('api_in_flight{pool="feeds"} 1') || undefined;
  });
  const { identity } = scene.admin;
  await unary(identity, identity.revokeToken, { tokenId: id });
  const { error } = endOf(await watching);
  expect(error).toMatchObject({ code: 'unauthenticated', message: 'this token was revoked' });
});
