import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { status as Code } from '@grpc/grpc-js';
import { beforeAll, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { connect } from '../../src/client/connect.js';
import { newId } from '../../src/core/ids.js';
import { CampaignBuild, CampaignSpec } from '../../src/gen/pandafuzz/v1/campaign_service.js';
import { atEnd, runMasterFor, shared, type TestMaster } from '../harness.js';
import { eventually, metric, registerBot, uploadTarget } from '../steps.js';

const mebibyte = 1024 * 1024;
let scene: TestMaster;
beforeAll(async () => {
  scene = await shared(() =>
    runMasterFor({
      PANDAFUZZ_LIMITS_MAX_CONNECTIONS_PER_ADDRESS: '6',
      PANDAFUZZ_LIMITS_MAX_CALLS_PER_CONNECTION: '3',
      PANDAFUZZ_LIMITS_MAX_MESSAGES_PER_SECOND: '1',
      PANDAFUZZ_LIMITS_MAX_UPLOAD_PER_DAY: '2MiB',
      PANDAFUZZ_LIMITS_MAX_BOTS: '2',
      PANDAFUZZ_LIMITS_MAX_ARTIFACTS: '2',
      PANDAFUZZ_LIMITS_MAX_CAMPAIGNS: '1',
    }),
  );
});

/** What a call is refused with for a quota, which its message names. */
const refusal = (setting: string) => ({
  code: Code.RESOURCE_EXHAUSTED,
  details: expect.stringContaining(setting),
});

const refusals = (setting: string) =>
  metric(scene.master, `pandafuzz_quota_refusals_total{quota="${setting}"}`);

test('the bots that are known have a bound, and those that are known stay', async () => {
  const { connection } = scene;
  const first = await registerBot(connection, 'first');
  await registerBot(connection, 'second');
  await expect(registerBot(connection, 'third')).rejects.toMatchObject(refusal('limits.max_bots'));
  expect((await registerBot(connection, 'first')).id).toBe(first.id);
  expect(await refusals('limits.max_bots')).toBe(1);
  await unary(connection.bots, connection.bots.deleteBot, { botId: first.id });
  await registerBot(connection, 'third');
});

test('a heartbeat stream that sends too many messages ends', async () => {
  const { connection } = scene;
  const bot = await registerBot(connection, 'second');
  const stream = connection.bots.heartbeat();
  const ended = once(stream, 'end').catch((error) => error);
  stream.on('data', () => {});
  const hello = { botId: bot.id, instanceId: newId(), freeSlots: 0, leases: [] };
  stream.write({ message: { $case: 'hello', value: hello } });
  const beat = { freeSlots: 0, leases: [], resources: undefined };
  for (let sequence = 1; sequence <= 20; sequence++) {
    stream.write({ message: { $case: 'beat', value: { ...beat, sequence } } });
  }
  expect(await ended).toMatchObject(refusal('limits.max_messages_per_second'));
  expect(await refusals('limits.max_messages_per_second')).toBe(1);
});

test('artifacts and campaigns have a bound', async () => {
  const { connection } = scene;
  const { campaigns } = connection;
  const { sha256: targetSha256 } = await uploadTarget(connection, Buffer.alloc(1000, 'a'));
  await uploadTarget(connection, Buffer.alloc(1000, 'b'));
  const third = uploadTarget(connection, Buffer.alloc(1000, 'c'));
  await expect(third).rejects.toMatchObject(refusal('limits.max_artifacts'));
  await uploadTarget(connection, Buffer.alloc(1000, 'a')); // is there
  const builds = [CampaignBuild.create({ engine: 'libfuzzer', targetSha256 })];
  const create = (name: string) =>
    unary(campaigns, campaigns.createCampaign, {
      spec: CampaignSpec.create({ name, builds }),
      requestId: '',
    });
  await create('one');
  await expect(create('two')).rejects.toMatchObject(refusal('limits.max_campaigns'));
});

test('a caller may upload so much in a day', async () => {
  const upload = uploadTarget(scene.connection, Buffer.alloc(2 * mebibyte, 'd'));
  await expect(upload).rejects.toMatchObject(refusal('limits.max_upload_per_day'));
  expect(await refusals('limits.max_upload_per_day')).toBe(1);
});

test('a connection may have so many open calls, and one that ends makes room', async () => {
  const connection = connect(scene.address);
  atEnd(() => connection.close());
  const { jobs, system } = connection;
  const watches = [1, 2, 3].map(() => {
    const watch = jobs.watchJobs({ cursor: 0, jobId: '' });
    watch.on('error', () => {});
    return watch;
  });
  await Promise.all(watches.map((watch) => once(watch, 'data')));
  const stats = () => unary(system, system.getSystemStats, {});
  await expect(stats()).rejects.toMatchObject(refusal('limits.max_calls_per_connection'));
  expect(await refusals('limits.max_calls_per_connection')).toBe(1);
  watches[0]?.cancel();
  await eventually(() => stats().catch(() => undefined));
  for (const watch of watches) watch.cancel();
});

test('an address may have so many connections, and one that closes makes room', async () => {
  const [host = '', port] = scene.address.split(':');
  const open = () => {
    const socket = connectSocket(Number(port), host);
    socket.on('error', () => {});
    atEnd(() => socket.destroy());
    return socket;
  };
  const isClosed = (socket: Socket) => once(socket, 'close');
  const sockets = Array.from({ length: 8 }, open);
  // The refused ones close at once; the others after 20 s, as they do not speak HTTP/2.
  await Promise.race(sockets.map(isClosed));
  expect(await refusals('limits.max_connections_per_address')).toBeGreaterThan(0);
  for (const socket of sockets) socket.destroy();
  await eventually(async () => {
    const connection = connect(scene.address);
    const { system } = connection;
    const answer = await unary(system, system.getSystemStats, {}).catch(() => undefined);
    connection.close();
    return answer;
  });
});
