import { gzipSync } from 'node:zlib';
import { newId } from '../../../src/core/ids.js';
import { GetJobRequest } from '../../../src/gen/pandafuzz/v1/job_service.js';
import { framed, RawClient } from '../../wire/raw-client.js';
import { type Abuse, abuse, distinct, endOf, slowAbuse } from '../abuse.js';
import type { Stage } from '../stage.js';

/** What one call can say that gRPC does not have. */

const getJob = '/pandafuzz.v1.JobService/GetJob';
const listJobs = '/pandafuzz.v1.JobService/ListJobs';
const heartbeat = '/pandafuzz.v1.BotService/Heartbeat';
const upload = '/pandafuzz.v1.ArtifactService/UploadArtifact';
const getStats = '/pandafuzz.v1.SystemService/GetSystemStats';
const wish = GetJobRequest.encode({ jobId: newId() }).finish();
const mib = 2 ** 20;
const whole = framed(wish);

interface Said {
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly bytes?: Uint8Array;
}

/** One call with these bytes for a body. */
async function call(stage: Stage, { path = getJob, headers = {}, bytes = whole }: Said = {}) {
  const authorization = `Bearer ${stage.tokens[path === heartbeat ? 'bot' : 'operator']}`;
  const open = new RawClient(stage.address).open(path, { authorization, ...headers });
  open.stream.end(bytes);
  return endOf(await open.answer);
}

/** As many on one connection, at once. */
async function calls(stage: Stage, count: number, { path = getJob, headers = {}, bytes }: Said) {
  const client = new RawClient(stage.address);
  const ends = Array.from({ length: count }, async () => {
    const open = client.open(path, headers);
    open.stream.end(bytes);
    return endOf(await open.answer);
  });
  return distinct(await Promise.all(ends));
}

const contentTypes: readonly Abuse[] = ['text/html', 'application/json', 'application/grp', ''].map(
  (type) =>
    abuse(`a call with content-type "${type}"`, 'HTTP 415', (stage) =>
      call(stage, { headers: { 'content-type': type } }),
    ),
);

const prefixed = (length: number, rest: Uint8Array = Buffer.alloc(0)): Buffer => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, rest]);
};

const frames: readonly Abuse[] = [
  abuse(
    'a prefix of a message that is cut off',
    /^(INTERNAL|UNIMPLEMENTED|INVALID_ARGUMENT)/,
    (s) => call(s, { bytes: Buffer.from([0, 0, 0]) }),
  ),
  abuse('a message that is cut off', /^(INTERNAL|UNIMPLEMENTED|INVALID_ARGUMENT)/, (s) =>
    call(s, { bytes: prefixed(100, wish) }),
  ),
  abuse('a message of 4 GiB, by its prefix', 'RESOURCE_EXHAUSTED', (s) =>
    call(s, { bytes: prefixed(2 ** 32 - 1, wish) }),
  ),
  abuse('a message longer than grpc.max_message', 'RESOURCE_EXHAUSTED', (s) =>
    call(s, { bytes: prefixed(512 * 1024 + 1, wish) }),
  ),
  abuse('a message of 4 GiB on a heartbeat stream', 'RESOURCE_EXHAUSTED', (s) =>
    call(s, { path: heartbeat, bytes: prefixed(2 ** 32 - 1, wish) }),
  ),
  abuse('a message of 4 GiB in an upload', 'RESOURCE_EXHAUSTED', (s) =>
    call(s, { path: upload, bytes: prefixed(2 ** 32 - 1, wish) }),
  ),
  abuse('two messages where there is one', /^(INTERNAL|UNIMPLEMENTED)/, (s) =>
    call(s, { bytes: Buffer.concat([whole, whole]) }),
  ),
  abuse('no message where there is one', /^(INTERNAL|UNIMPLEMENTED)/, (s) =>
    call(s, { bytes: Buffer.alloc(0) }),
  ),
  abuse('ten thousand empty messages where there is one', /^(INTERNAL|UNIMPLEMENTED)/, (s) =>
    call(s, { bytes: Buffer.alloc(50_000) }),
  ),
  abuse('a message that is no protobuf', 'INVALID_ARGUMENT', (s) =>
    call(s, { bytes: framed(Buffer.alloc(100, 0xff)) }),
  ),
  abuse('groups within groups, a hundred thousand deep', 'INVALID_ARGUMENT', (s) =>
    call(s, { bytes: framed(Buffer.alloc(100_000, 0x7b)) }),
  ),
  abuse('a method that is not there', 'UNIMPLEMENTED', (s) =>
    call(s, { path: '/pandafuzz.v1.JobService/__proto__' }),
  ),
  abuse('a path that climbs', 'UNIMPLEMENTED', (s) =>
    call(s, { path: '/pandafuzz.v1.JobService/../../../etc/passwd' }),
  ),
  abuse('a path of 30 KiB', /^(UNIMPLEMENTED|RST)/, (s) =>
    call(s, { path: `/${'a'.repeat(30_000)}` }),
  ),
];

/** 400 MiB of zeros, as four members of one gzip file. */
const zeros = gzipSync(Buffer.alloc(100 * mib));
const bomb = framed(Buffer.concat(Array.from({ length: 4 }, () => zeros)), true);
/** As much as one message may be, a hundred times. */
const small = framed(gzipSync(Buffer.alloc(500 * 1024)), true);
const bombs = Buffer.concat(Array.from({ length: 100 }, () => small));
const gzip = { 'grpc-encoding': 'gzip' };

const encodings: readonly Abuse[] = [
  ...[getJob, heartbeat, upload].map((path) =>
    abuse(`a message marked as compressed, without grpc-encoding: ${path}`, 'INTERNAL', (s) =>
      call(s, { path, bytes: framed(wish, true) }),
    ),
  ),
  abuse('a message in an encoding that nobody knows', 'UNIMPLEMENTED', (s) =>
    call(s, { headers: { 'grpc-encoding': 'br' }, bytes: framed(wish, true) }),
  ),
  abuse('a message of gzip that is none', 'INTERNAL', (s) =>
    call(s, { headers: gzip, bytes: framed(wish, true) }),
  ),
  abuse('a message of gzip that is cut off', 'INTERNAL', (s) =>
    call(s, { headers: gzip, bytes: framed(gzipSync(wish).subarray(0, 20), true) }),
  ),
  abuse('a gzip bomb as a request', 'RESOURCE_EXHAUSTED', (s) =>
    call(s, { headers: gzip, bytes: bomb }),
  ),
  abuse('a gzip bomb on a heartbeat stream', 'RESOURCE_EXHAUSTED', (s) =>
    call(s, { path: heartbeat, headers: gzip, bytes: bomb }),
  ),
  abuse('a gzip bomb in an upload', 'RESOURCE_EXHAUSTED', (s) =>
    call(s, { path: upload, headers: gzip, bytes: bomb }),
  ),
  abuse('ten thousand small gzip bombs at once', /^(DEADLINE_EXCEEDED|, |UNIMPLEMENTED)+$/, (s) =>
    calls(s, 100, { headers: gzip, bytes: bombs }),
  ),
  abuse('fifteen thousand small gzip bombs in uploads', /^[A-Z_, ]+$/, (s) =>
    calls(s, 150, {
      path: upload,
      headers: { ...gzip, authorization: `Bearer ${s.tokens.operator}` },
      bytes: bombs,
    }),
  ),
];

const timeouts: readonly Abuse[] = [
  ...['700H', '99999999H', '100000000S', '86401S', '-5S', '5', '5 S', 'soon', '1e9S', ''].map(
    (timeout) =>
      abuse(`a grpc-timeout of "${timeout}"`, 'OK', (s) =>
        call(s, {
          path: getStats,
          headers: { 'grpc-timeout': timeout },
          bytes: framed(Buffer.alloc(0)),
        }),
      ),
  ),
  abuse('a grpc-timeout that is over', 'DEADLINE_EXCEEDED TIMEOUT', (s) =>
    call(s, { headers: { 'grpc-timeout': '0n' } }),
  ),
];

const many = (count: number, length: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'v'.repeat(length)]));

const headers: readonly Abuse[] = [
  abuse('a call with two thousand headers', /^RST /, (s) => call(s, { headers: many(2000, 8) })),
  abuse('a call with 120 KiB of headers', /^RST /, (s) => call(s, { headers: many(60, 2048) })),
  abuse('an authorization of 50 KiB', /^(UNAUTHENTICATED TOKEN_MALFORMED|RST )/, (s) =>
    call(s, { headers: { authorization: `Bearer ${'a'.repeat(50_000)}` } }),
  ),
  abuse('binary metadata that is no base64', 'NOT_FOUND', (s) =>
    call(s, { headers: { 'x-thing-bin': '!!!!', 'grpc-trace-bin': '\u00ff' } }),
  ),
  abuse('a traceparent and a request id of the caller’s', 'NOT_FOUND', (s) =>
    call(s, { headers: { traceparent: `00-${'0'.repeat(32)}-x`, 'x-request-id': '\u001b[31m' } }),
  ),
];

/** Begins as many calls and sends `bytes` of each request. */
async function unfinished(stage: Stage, path: string, bytes: number): Promise<string> {
  const authorization = `Bearer ${stage.tokens.operator}`;
  const open = new RawClient(stage.address).open(path, { authorization });
  if (bytes > 0) open.stream.write(framed(Buffer.alloc(100)).subarray(0, bytes));
  return endOf(await open.answer);
}

const unfinishedCalls: readonly Abuse[] = [
  slowAbuse('headers, and nothing more', 'DEADLINE_EXCEEDED', (s) => unfinished(s, getJob, 0)),
  slowAbuse('half a message, and nothing more', 'DEADLINE_EXCEEDED', (s) =>
    unfinished(s, getJob, 20),
  ),
  slowAbuse('a whole message, and no end', 'DEADLINE_EXCEEDED', (s) => unfinished(s, getJob, 105)),
  slowAbuse('half a request to reflection', /^(DEADLINE_EXCEEDED|PERMISSION_DENIED)/, (s) =>
    unfinished(s, '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', 0),
  ),
  slowAbuse('an upload that stops', /^DEADLINE_EXCEEDED/, (s) => unfinished(s, upload, 20)),
  slowAbuse('a heartbeat stream without Hello', /^DEADLINE_EXCEEDED/, async (s) => {
    const authorization = `Bearer ${s.tokens.bot}`;
    return endOf(await new RawClient(s.address).open(heartbeat, { authorization }).answer);
  }),
  abuse('calls by the thousand that are never finished', 'RESOURCE_EXHAUSTED', async (s) => {
    const client = new RawClient(s.address);
    const open = Array.from({ length: 2000 }, () => client.open(getJob));
    return endOf(await Promise.race(open.map(({ answer }) => answer)));
  }),
  abuse('lists by the thousand on one connection', /OK/, (s) =>
    calls(s, 1500, {
      path: listJobs,
      headers: { authorization: `Bearer ${s.tokens.viewer}` },
      bytes: framed(Buffer.alloc(0)),
    }),
  ),
];

export const requests: readonly Abuse[] = [
  ...unfinishedCalls,
  ...contentTypes,
  ...frames,
  ...encodings,
  ...timeouts,
  ...headers,
];
