import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { unary } from '../../../src/client/call.js';
import { newId } from '../../../src/core/ids.js';
import { runMasterFor, shared, type TestMaster } from '../../harness.js';
import { createJob, eventually, given, metric, uploadTarget } from '../../steps.js';
import { registry, serviceOf, urlOf } from './transport.js';

let scene: TestMaster;
beforeAll(async () => {
  scene = await shared(() => runMasterFor());
});

type Ways = Partial<Parameters<typeof createConnectTransport>[0]>;

/** Connect's own client. */
function clientOf(service: string, ways: Ways = {}): object {
  const baseUrl = urlOf(scene.master.http);
  const transport = createConnectTransport({ baseUrl, httpVersion: '1.1', ...ways } as never);
  return createClient(serviceOf(service), transport);
}

type Unary = (request: object, options?: object) => Promise<Record<string, unknown>>;
type Stream = (request: object, options?: object) => AsyncIterable<Record<string, unknown>>;
const unaryOf = (client: object, name: string): Unary => Reflect.get(client, name);
const streamOf = (client: object, name: string): Stream => Reflect.get(client, name);

const refusal = (call: Promise<unknown>): Promise<ConnectError> =>
  call.then(
    () => {
      throw new Error('the call was answered');
    },
    (error) => ConnectError.from(error),
  );

describe.each([
  ['JSON', {}],
  ["protobuf's bytes", { useBinaryFormat: true }],
  ['JSON by GET', { useHttpGet: true }],
  ["protobuf's bytes by GET", { useHttpGet: true, useBinaryFormat: true }],
  ['gzip in both directions', { compressMinBytes: 1 }],
])("Connect's own client, with %s", (_, ways: Ways) => {
  test('makes a unary call', async () => {
    const { sha256: targetSha256 } = await uploadTarget(scene.connection);
    const job = await createJob(scene.connection, { targetSha256, name: 'by-grpc' });
    const trailers: Record<string, string | null> = {};
    const onTrailer = (all: Headers) => {
      trailers['id'] = all.get('x-request-id');
    };
    const getJob = unaryOf(clientOf('JobService', ways), 'getJob');
    const { job: got } = await getJob({ jobId: job.id }, { onTrailer });
    expect(got).toMatchObject({ id: job.id, spec: { name: 'by-grpc', targetSha256 } });
    expect(trailers['id']).toMatch(/^[0-9a-f-]{36}$/);
    const listJobs = unaryOf(clientOf('JobService', ways), 'listJobs');
    expect(await listJobs({ pageSize: 1 })).toMatchObject({ jobs: [expect.anything()] });
  });

  test('reads an error with its details', async () => {
    const getJob = unaryOf(clientOf('JobService', ways), 'getJob');
    const error = await refusal(getJob({ jobId: newId() }));
    expect([error.code, error.rawMessage]).toEqual([Code.NotFound, 'there is no such job']);
    expect(error.details).toMatchObject([
      { type: 'google.rpc.ResourceInfo', debug: { resourceType: 'job' } },
      { type: 'google.rpc.RequestInfo' },
    ]);
    expect(error.metadata.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('hears a stream, and ends it by leaving', async () => {
    const watchJobs = streamOf(clientOf('JobService', ways), 'watchJobs');
    const leaving = new AbortController();
    const heard: unknown[] = [];
    const watching = (async () => {
      for await (const { kind } of watchJobs({}, { signal: leaving.signal })) {
        heard.push(kind);
        if (heard.length === 1) await createJob(scene.connection, { name: 'x'.repeat(100) });
        else leaving.abort();
      }
    })();
    expect((await refusal(watching)).code).toBe(Code.Canceled);
    expect(heard.slice(0, 2)).toEqual(['', 'job.created']);
    await eventually(
      async () => (await metric(scene.master, 'api_in_flight{pool="feeds"}')) === 0 || undefined,
    );
  });
});

test('a stream brings its error at its end, and a download all of its bytes', async () => {
  const download = streamOf(clientOf('ArtifactService'), 'downloadArtifact');
  const target = await uploadTarget(scene.connection);
  let size = 0;
  for await (const part of download({ sha256: target.sha256 })) {
    size += part['chunk'] instanceof Uint8Array ? part['chunk'].length : 0;
  }
  expect(size).toBe(target.sizeBytes);
  const missing = (async () => {
    for await (const _ of download({ sha256: '0'.repeat(64) }));
  })();
  expect((await refusal(missing)).code).toBe(Code.NotFound);
});

test("deadlines are the client's, and count as with gRPC", async () => {
  const watchJobs = streamOf(clientOf('JobService'), 'watchJobs');
  const watching = (async () => {
    for await (const _ of watchJobs({}, { timeoutMs: 300 }));
  })();
  expect((await refusal(watching)).code).toBe(Code.DeadlineExceeded);
});

test('a call is counted as one by gRPC, and its message too', async () => {
  const path = 'endpoint="/pandafuzz.v1.TargetService/ListTargets"';
  await unaryOf(clientOf('TargetService'), 'listTargets')({});
  const { targets } = scene.connection;
  await unary(targets, targets.listTargets, { project: '', pageSize: 0, pageToken: '' } as never);
  const counted = (name: string) => metric(scene.master, name);
  expect(await counted(`api_request_duration_seconds_count{${path},code="OK"}`)).toBe(2);
  expect(await counted(`api_messages_total{${path},direction="in"}`)).toBe(2);
  expect(await counted(`api_messages_total{${path},direction="out"}`)).toBe(2);
});

test('buf curl makes a call, and reads an error', async () => {
  const curl = (method: string, data: string) => {
    const url = `${urlOf(scene.master.http)}/pandafuzz.v1.${method}`;
    const ways = ['curl', '--protocol', 'connect', '--schema', 'proto', '-d', data, url];
    return promisify(execFile)('node_modules/.bin/buf', ways);
  };
  const { stdout } = await curl('SystemService/GetSystemStats', '{}');
  expect(JSON.parse(stdout)).toMatchObject({ databaseBytes: expect.stringMatching(/^\d+$/) });
  const refused = await curl('JobService/GetJob', '{"jobId": "x"}').catch((error) => error);
  expect(JSON.parse(refused.stderr)).toMatchObject({ code: 'invalid_argument' });
});

test('streams of requests are refused with the way to make them', async () => {
  const heartbeat = streamOf(clientOf('BotService', { useBinaryFormat: true }), 'heartbeat');
  const schema = given(registry.getMessage('pandafuzz.v1.HeartbeatRequest'));
  const beating = (async () => {
    const beats = async function* () {
      yield create(schema, {});
    };
    for await (const _ of heartbeat(beats()));
  })();
  const error = await refusal(beating);
  expect(error.code).toBe(Code.Unimplemented);
});
