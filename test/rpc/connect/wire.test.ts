import { once } from 'node:events';
import { connect as connectTo } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Address } from '../../../src/config/quantities.js';
import { newId } from '../../../src/core/ids.js';
import { atEnd, runMasterFor, shared, type TestMaster } from '../../harness.js';
import { createJob, eventually, given, metric, uploadTarget } from '../../steps.js';
import {
  ask,
  endOf,
  envelope,
  framesOf,
  type HttpQuestion,
  json,
  jsonOf,
  pathOf,
  stream,
} from './transport.js';

let scene: TestMaster;
let at: Address;
beforeAll(async () => {
  const settings = { PANDAFUZZ_TIMEOUTS_STALLED_TRANSFER: '2s' };
  scene = await shared(() => runMasterFor(settings));
  at = scene.master.http;
  await createJob(scene.connection, { name: 'a'.repeat(100), priority: -3 });
});

const listJobs = pathOf('JobService/ListJobs');
const getJob = pathOf('JobService/GetJob');
const watchJobs = pathOf('JobService/WatchJobs');
const post = (path: string, body: string | Uint8Array, headers = {}) =>
  ask(at, path, { headers: { ...json, ...headers }, body });

describe('JSON is that of protobuf', () => {
  test('64-bit numbers are text, enums names, times RFC 3339, zeros left out', async () => {
    const answer = await post(listJobs, '{}');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    const { jobs } = jsonOf(answer) as { jobs: Record<string, unknown>[] };
    expect(jobs[0]).toMatchObject({ state: 'JOB_STATE_PENDING', spec: { priority: -3 } });
    expect(String(jobs[0]?.['createdAt'])).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    const series = await post(pathOf('SystemService/GetSystemStats'), '');
    expect(jsonOf(series)).toMatchObject({ databaseBytes: expect.stringMatching(/^\d+$/) });
  });

  test.each([
    ['{"pageSize":1,"state":"JOB_STATE_PENDING"}'],
    ['{"page_size":"1","state":1}'],
    ['{"pageSize":1.0,"thisIsNew":{"er":[1]}}'],
    ['\n { "pageSize" : 1e0 } '],
    ['{"pageSize":1,"pageToken":null}'],
  ])('a client may write %s', async (body) => {
    const answer = await post(listJobs, body, {
      'content-type': 'application/json; charset=utf-8',
    });
    expect([answer.status, jsonOf(answer)['jobs']]).toEqual([200, [expect.anything()]]);
  });

  test('bytes are base64 in both alphabets, and a number that no double holds is refused', async () => {
    const { sha256, sizeBytes } = await uploadTarget(scene.connection);
    const download = pathOf('ArtifactService/DownloadArtifact');
    const body = envelope(JSON.stringify({ sha256, offsetBytes: String(sizeBytes - 3) }));
    const answer = await ask(at, download, { headers: stream, body });
    const chunks = framesOf(answer.body).slice(0, -1);
    const texts = chunks.map(({ bytes }) => JSON.parse(bytes.toString()).chunk ?? '');
    expect(texts.join('')).toMatch(/^[A-Za-z0-9+/]{4}$/);
    expect(endOf(answer)).toEqual({ metadata: { 'x-request-id': [expect.any(String)] } });
    const cursor = envelope('{"cursor":"18446744073709551615"}');
    const refused = await ask(at, watchJobs, { headers: stream, body: cursor });
    expect(endOf(refused)).toMatchObject({ error: { code: 'invalid_argument' } });
  });
});

describe('a request that is not as it should be', () => {
  const refusals: [
    what: string,
    path: string,
    question: HttpQuestion,
    status: number,
    code: string,
  ][] = [
    [
      'another type',
      listJobs,
      { headers: { 'content-type': 'text/plain' }, body: '{}' },
      415,
      'invalid_argument',
    ],
    ['no type', listJobs, { body: '{}' }, 415, 'invalid_argument'],
    [
      "a form's type",
      listJobs,
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '{}' },
      415,
      'invalid_argument',
    ],
    [
      "gRPC-Web's type",
      listJobs,
      { headers: { 'content-type': 'application/grpc-web' } },
      415,
      'invalid_argument',
    ],
    [
      "a stream's type",
      listJobs,
      { headers: stream, body: envelope('{}') },
      415,
      'invalid_argument',
    ],
    ["no stream's type", watchJobs, { headers: json, body: '{}' }, 415, 'invalid_argument'],
    [
      'an unknown method',
      pathOf('JobService/Nothing'),
      { headers: json, body: '{}' },
      404,
      'unimplemented',
    ],
    [
      'an unknown service',
      '/pandafuzz.v1.Nothing/ListJobs',
      { headers: json, body: '{}' },
      404,
      'unimplemented',
    ],
    ['another verb', listJobs, { method: 'PUT', headers: json, body: '{}' }, 405, 'unimplemented'],
    [
      'GET of what changes something',
      pathOf('JobService/CancelJob'),
      { method: 'GET' },
      405,
      'unimplemented',
    ],
    [
      'GET without an encoding',
      `${listJobs}?message={}`,
      { method: 'GET' },
      400,
      'invalid_argument',
    ],
    ['no JSON', listJobs, { headers: json, body: '{"pageSize":' }, 400, 'invalid_argument'],
    ['a list', listJobs, { headers: json, body: '[]' }, 400, 'invalid_argument'],
    ['null', listJobs, { headers: json, body: 'null' }, 400, 'invalid_argument'],
    ['deep JSON', listJobs, { headers: json, body: '['.repeat(200_000) }, 400, 'invalid_argument'],
    [
      'bad UTF-8',
      listJobs,
      { headers: json, body: Buffer.from([34, 0xff, 34]) },
      400,
      'invalid_argument',
    ],
    [
      'another kind of value',
      listJobs,
      { headers: json, body: '{"pageSize":"x"}' },
      400,
      'invalid_argument',
    ],
    [
      'a number out of range',
      listJobs,
      { headers: json, body: '{"pageSize":-1}' },
      400,
      'invalid_argument',
    ],
    [
      'no protobuf',
      listJobs,
      { headers: { 'content-type': 'application/proto' }, body: Buffer.from([0xff]) },
      400,
      'invalid_argument',
    ],
    [
      'a large body',
      listJobs,
      { headers: json, body: ' '.repeat(600_000) },
      429,
      'resource_exhausted',
    ],
    [
      'a large body of unknown length',
      listJobs,
      { headers: { ...json, 'transfer-encoding': 'chunked' }, body: ' '.repeat(600_000) },
      429,
      'resource_exhausted',
    ],
    [
      'a bomb of gzip',
      listJobs,
      {
        headers: { ...json, 'content-encoding': 'gzip' },
        body: gzipSync(Buffer.alloc(50_000_000)),
      },
      429,
      'resource_exhausted',
    ],
    [
      'no gzip',
      listJobs,
      { headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' },
      400,
      'invalid_argument',
    ],
    [
      'half of gzip',
      listJobs,
      { headers: { ...json, 'content-encoding': 'gzip' }, body: gzipSync('{}').subarray(0, 15) },
      400,
      'invalid_argument',
    ],
    [
      'an unknown compression',
      listJobs,
      { headers: { ...json, 'content-encoding': 'br' }, body: '{}' },
      501,
      'unimplemented',
    ],
    [
      'an unknown version',
      listJobs,
      { headers: { ...json, 'connect-protocol-version': '2' }, body: '{}' },
      400,
      'invalid_argument',
    ],
    [
      'no timeout',
      listJobs,
      { headers: { ...json, 'connect-timeout-ms': '-1' }, body: '{}' },
      400,
      'invalid_argument',
    ],
    [
      'a timeout of eleven digits',
      listJobs,
      { headers: { ...json, 'connect-timeout-ms': '12345678901' }, body: '{}' },
      400,
      'invalid_argument',
    ],
    [
      'a timeout that is over',
      listJobs,
      { headers: { ...json, 'connect-timeout-ms': '0' }, body: '{}' },
      504,
      'deadline_exceeded',
    ],
    [
      'a method of streams',
      pathOf('BotService/Heartbeat'),
      { headers: json, body: '{}' },
      501,
      'unimplemented',
    ],
  ];

  test.each(refusals)('%s: is refused', async (_, path, question, status, code) => {
    const answer = await ask(at, path, question);
    const { code: got, message } = jsonOf(answer);
    expect([answer.status, got]).toEqual([status, code]);
    expect(String(message)).not.toBe('');
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('says which types and verbs it may be of, and what of it is wrong', async () => {
    const untyped = await ask(at, listJobs, { body: '{}' });
    expect(untyped.headers['accept-post']).toContain('application/json');
    expect(jsonOf(untyped)['message']).toContain("-H 'content-type: application/json'");
    const put = await ask(at, listJobs, { method: 'PUT' });
    expect(put.headers['allow']).toBe('GET, POST');
    const broken = await post(listJobs, '{"pageSize":"secret"}');
    expect(jsonOf(broken)['message']).toBe('page_size: must be number (uint32)');
  });

  test('a long timeout is as good as none, and not over at once', async () => {
    const answer = await post(listJobs, '{}', { 'connect-timeout-ms': '9999999999' });
    expect(answer.status).toBe(200);
  });

  const streams: [what: string, body: Buffer, headers: Record<string, string>, code: string][] = [
    ['nothing', Buffer.alloc(0), {}, 'invalid_argument'],
    ['three bytes', Buffer.alloc(3), {}, 'invalid_argument'],
    ['half a message', envelope('{"cursor":1}').subarray(0, 9), {}, 'invalid_argument'],
    ['a length of 4 GiB', Buffer.from([0, 255, 255, 255, 255, 1]), {}, 'invalid_argument'],
    ['two messages', Buffer.concat([envelope('{}'), envelope('{}')]), {}, 'invalid_argument'],
    ['an end', envelope('{}', 2), {}, 'invalid_argument'],
    ['a compressed message of unknown kind', envelope(gzipSync('{}'), 1), {}, 'invalid_argument'],
    [
      'a bomb',
      envelope(gzipSync(Buffer.alloc(50_000_000)), 1),
      { 'connect-content-encoding': 'gzip' },
      'resource_exhausted',
    ],
    ['a bad timeout', envelope('{}'), { 'connect-timeout-ms': 'soon' }, 'invalid_argument'],
    ['another version', envelope('{}'), { 'connect-protocol-version': '9' }, 'invalid_argument'],
    ['a broken message', envelope('{"cursor":{}}'), {}, 'invalid_argument'],
    ['an old cursor', envelope('{"cursor":"4503599627370496"}'), {}, 'out_of_range'],
  ];

  test.each(streams)(
    'a stream that asks with %s: ends with an error',
    async (_, body, more, code) => {
      const answer = await ask(at, watchJobs, { headers: { ...stream, ...more }, body });
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe('application/connect+json');
      expect(endOf(answer)).toMatchObject({ error: { code } });
    },
  );
});

describe('a caller that takes gzip', () => {
  test('gets long answers in it, and short ones as they are', async () => {
    const takes = { 'accept-encoding': 'br, gzip;q=0.8' };
    const short = await post(getJob, '{}', takes);
    expect(short.headers['content-encoding']).toBeUndefined();
    for (let i = 0; i < 3; i++) await createJob(scene.connection, { name: 'b'.repeat(100) });
    const long = await post(listJobs, '{}', takes);
    expect(long.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(gunzipSync(long.body).toString()).jobs.length).toBeGreaterThan(3);
    const refuses = await post(listJobs, '{}', { 'accept-encoding': 'gzip;q=0' });
    expect(refuses.headers['content-encoding']).toBeUndefined();
  });

  test('may send it, message by message', async () => {
    const body = envelope(gzipSync('{"cursor":"4503599627370496"}'), 1);
    const headers = { ...stream, 'connect-content-encoding': 'gzip' };
    const answer = await ask(at, watchJobs, { headers, body });
    expect(endOf(answer)).toMatchObject({ error: { code: 'out_of_range' } });
    const unary = await post(getJob, gzipSync(`{"jobId":"${newId()}"}`), {
      'content-encoding': 'gzip',
    });
    expect(jsonOf(unary)['code']).toBe('not_found');
  });
});

describe('a caller of HTTP alone', () => {
  const open = () => {
    const socket = connectTo(at.port, at.host);
    atEnd(() => socket.destroy());
    socket.on('error', () => {});
    return socket;
  };
  const raw = (path: string, body: Buffer) =>
    Buffer.concat([
      Buffer.from(
        `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/connect+json\r\ncontent-length: ${body.length}\r\n\r\n`,
      ),
      body,
    ]);
  const inFlight = (pool: string, count: number) =>
    eventually(
      async () =>
        (await metric(scene.master, `api_in_flight{pool="${pool}"}`)) === count || undefined,
    );

  test('that leaves ends its calls, those that wait behind another too', async () => {
    const socket = open();
    socket.write(raw(watchJobs, envelope('{}')));
    socket.write(raw(watchJobs, envelope('{}')));
    await inFlight('feeds', 2);
    socket.destroy();
    await inFlight('feeds', 0);
  });

  test('that leaves within its request leaves nothing behind', async () => {
    const socket = open();
    socket.write(raw(listJobs, envelope('{}')).subarray(0, -4));
    await once(socket, 'connect');
    socket.destroy();
    expect((await post(listJobs, '{}')).status).toBe(200);
  });

  test('that reads nothing of a download is cut off', async () => {
    const large = await uploadTarget(scene.connection, Buffer.alloc(24 * 2 ** 20, newId()));
    const socket = open();
    socket.pause();
    const body = envelope(JSON.stringify({ sha256: large.sha256 }));
    socket.write(raw(pathOf('ArtifactService/DownloadArtifact'), body));
    await inFlight('transfers', 1);
    await inFlight('transfers', 0);
    await eventually(
      async () => (await metric(scene.master, 'api_unsent_bytes')) === 0 || undefined,
    );
    const closed = once(socket, 'close');
    socket.resume();
    await closed;
  });
});

describe('a page of another site', () => {
  const own = () => `localhost:${at.port}`;
  const cases: [string, () => Record<string, string>, number][] = [
    ['may not call, says its browser', () => ({ 'sec-fetch-site': 'cross-site' }), 403],
    ['at another port may not, either', () => ({ 'sec-fetch-site': 'same-site' }), 403],
    ['may not where only its origin is told', () => ({ origin: 'http://evil.example' }), 403],
    ['without an origin may not', () => ({ origin: 'null' }), 403],
    [
      'may not by a name that leads here',
      () => ({ host: 'evil.example', 'sec-fetch-site': 'same-origin' }),
      403,
    ],
    ['may not by another address', () => ({ host: `192.0.2.1:${at.port}` }), 403],
    [
      '(its own) may',
      () => ({ host: own(), origin: `http://${own()}`, 'sec-fetch-site': 'same-origin' }),
      200,
    ],
    ['(its own) may, by its origin', () => ({ host: own(), origin: `http://${own()}` }), 200],
    ['(none: a command) may', () => ({ host: `[::1]:${at.port}` }), 200],
  ];
  test.each(cases)('%s', async (_, headers, status) => {
    const answer = await post(listJobs, '{}', headers());
    expect(answer.status).toBe(status);
    if (status === 403) expect(jsonOf(answer)['code']).toBe('permission_denied');
    const watched = await ask(at, watchJobs, {
      headers: { ...stream, ...headers(), 'connect-timeout-ms': '1' },
      body: envelope('{}'),
    });
    expect(watched.status).toBe(status);
  });

  test('is not let in by the question that its browser asks first', async () => {
    const headers = { origin: 'http://evil.example', 'access-control-request-method': 'POST' };
    const answer = await ask(at, listJobs, { method: 'OPTIONS', headers });
    expect(answer.status).toBe(403);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-'))).toEqual([]);
  });
});

test('a master that stops ends its streams with UNAVAILABLE, and soon', async () => {
  const { master } = await runMasterFor();
  const watching = ask(master.http, watchJobs, { headers: stream, body: envelope('{}') });
  await eventually(
    async () => (await metric(master, 'api_in_flight{pool="feeds"}')) === 1 || undefined,
  );
  const stopped = master.stop();
  expect(endOf(await watching)).toMatchObject({
    error: { code: 'unavailable', details: [{ debug: { reason: 'SHUTTING_DOWN' } }, {}, {}] },
  });
  await stopped;
  given(master);
});
