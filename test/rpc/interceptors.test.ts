import { status as Code, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { newId } from '../../src/core/ids.js';
import { ResourceInfo } from '../../src/gen/google/rpc/error_details.js';
import { HeartbeatRequest, HeartbeatResponse } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { GetJobRequest } from '../../src/gen/pandafuzz/v1/job_service.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { registerBot } from '../steps.js';
import { blockDatabase } from '../wire/block-database.js';
import { everyMethod } from '../wire/contract.js';
import { RawClient } from '../wire/raw-client.js';
import { validRequests } from '../wire/requests.js';

const passThrough: ServerInterceptor = (_, call) => new ServerInterceptingCall(call);

/** Passes everything on, a turn of the event loop later. */
const delaying: ServerInterceptor = (_, call) =>
  new ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMetadata: (metadata, pass) => setImmediate(pass, metadata),
        onReceiveMessage: (message, pass) => setImmediate(pass, message),
      }),
    sendMessage: (message, pass) => setImmediate(pass, message),
    sendStatus: (status, pass) => setImmediate(pass, status),
  });

const heartbeat = '/pandafuzz.v1.BotService/Heartbeat';
const encode = (message: HeartbeatRequest['message']) =>
  HeartbeatRequest.encode({ message }).finish();
const hello = (botId: string) =>
  encode({ $case: 'hello', value: { botId, instanceId: newId(), freeSlots: 0, leases: [] } });
const beat = (sequence: number) =>
  encode({ $case: 'beat', value: { sequence, freeSlots: 0, leases: [], resources: undefined } });

/** Feeds without end: only their deadlines end them. */
const endless = ['JobService/WatchJobs', 'SystemService/HoldBlobs'];

describe.each([
  ['one pass-through interceptor', [passThrough]],
  ['a second one that delays', [passThrough, delaying]],
])('with %s', (_, others) => {
  const masterWith = async (directory = temporaryFolder()) => {
    const seen: string[] = [];
    const noting: ServerInterceptor = ({ path }, call) => {
      seen.push(path);
      return new ServerInterceptingCall(call);
    };
    const interceptors = [noting, ...others];
    const { connection, address } = await runMasterFor({}, directory, { interceptors });
    return { connection, client: new RawClient(address), seen };
  };

  test('every method is answered as without it', async () => {
    const { connection, client, seen } = await masterWith();
    const requests = await validRequests(connection);
    const bare = await runMasterFor();
    const bareRequests = await validRequests(bare.connection);
    const bareClient = new RawClient(bare.address);
    for (const { name, path } of everyMethod()) {
      const headers: Record<string, string> = endless.includes(name)
        ? { 'grpc-timeout': '300m' }
        : {};
      const answer = await client.call(path, requests[name] ?? [], headers);
      const expected = await bareClient.call(path, bareRequests[name] ?? [], headers);
      const shown = ({ code, messages, message }: typeof answer) => ({
        code: Code[code],
        isAnswered: messages.length > 0,
        message: endless.includes(name) ? '' : message, // two timers race to it, each with words of its own
      });
      expect({ name, ...shown(answer) }).toEqual({ name, ...shown(expected) });
      if (endless.includes(name)) expect(Code[answer.code]).toBe('DEADLINE_EXCEEDED');
      else expect(answer.headers['x-request-id']).toBeDefined();
      expect(seen).toContain(path);
    }
  });

  test('an error keeps its status, its details and its trailers', async () => {
    const { client } = await masterWith();
    const jobId = newId();
    const request = GetJobRequest.encode({ jobId }).finish();
    const answer = await client.call('/pandafuzz.v1.JobService/GetJob', [request]);
    expect(answer).toMatchObject({ code: Code.NOT_FOUND, message: 'there is no such job' });
    expect(answer.headers['x-request-id']).toBeDefined();
    const [detail] = answer.details.details;
    expect(ResourceInfo.decode(detail?.value as Buffer)).toMatchObject({ resourceName: jobId });
  });

  test('a stream is read and acknowledged, and refused with its reason', async () => {
    const { connection, client } = await masterWith();
    const bot = await registerBot(connection);
    const { messages, ...answer } = await client.call(heartbeat, [
      hello(bot.id),
      beat(1),
      beat(2),
      beat(4),
    ]);
    expect(answer).toMatchObject({
      code: Code.FAILED_PRECONDITION,
      message: 'beats count up from 1 without a gap; the next is 3',
    });
    const kinds = messages.map((bytes) => HeartbeatResponse.decode(bytes).message?.$case);
    expect(kinds[0]).toBe('welcome');
    expect(kinds.at(-1)).toBe('beatAck');
  });

  test('deadlines are corrected and kept', async () => {
    const directory = temporaryFolder();
    const { client } = await masterWith(directory);
    const stats = '/pandafuzz.v1.SystemService/GetSystemStats';
    const ask = (timeout: string) =>
      client.call(stats, [Buffer.alloc(0)], { 'grpc-timeout': timeout });
    expect(Code[(await ask('700H')).code]).toBe('OK');
    const { release } = await blockDatabase(directory);
    expect(Code[(await ask('200m')).code]).toBe('DEADLINE_EXCEEDED');
    await release();
  });

  test('a refused stream ends even if its client never stops sending', async () => {
    const { client } = await masterWith();
    const call = client.open('/pandafuzz.v1.ArtifactService/UploadArtifact');
    call.send(Buffer.from('not an upload'));
    expect(Code[(await call.answer).code]).toBe('INVALID_ARGUMENT');
  });
});
