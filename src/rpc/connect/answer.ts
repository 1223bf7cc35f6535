import type { ServerResponse } from 'node:http';
import { status as Code, type Metadata, type StatusObject } from '@grpc/grpc-js';
import { zipped } from './body.js';
import type { Format } from './codec.js';
import { httpStatusOf } from './codes.js';
import { enveloped } from './envelope.js';
import { wireErrorOf } from './failure.js';
import type { Refusal } from './refusal.js';

const always = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** Answers a unary call with its message. */
export async function answerUnary(
  response: ServerResponse,
  answer: { format: Format; bytes: Buffer; accepts: string; trailers: Metadata | undefined },
): Promise<void> {
  const small = await zipped(answer.bytes, answer.accepts);
  if (response.destroyed) return;
  const body = small ?? answer.bytes;
  response.writeHead(200, {
    ...always,
    'content-type': `application/${answer.format}`,
    'content-length': body.length,
    ...(small && { 'content-encoding': 'gzip' }),
    ...headersOf(answer.trailers),
  });
  response.end(body);
}

/** Answers a unary call with its error. */
export function refuseUnary(
  response: ServerResponse,
  status: Partial<StatusObject>,
  httpStatus = httpStatusOf(status.code ?? Code.UNKNOWN),
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.destroyed || response.headersSent) return;
  const asks = httpStatus === 401 ? { 'www-authenticate': 'Bearer realm="pandafuzz"' } : {};
  response.writeHead(httpStatus, {
    ...always,
    'content-type': 'application/json',
    ...asks,
    ...headers,
    ...headersOf(status.metadata),
  });
  response.end(`${JSON.stringify(wireErrorOf(status))}\n`);
}

export function refuseRequest(response: ServerResponse, refusal: Refusal): void {
  const { code, message: details, status, headers } = refusal;
  refuseUnary(response, { code, details }, status, headers);
}

/** Begins a stream: its status is always 200, and what became of it stands at its end. */
export function beginStream(response: ServerResponse, format: Format, isZipped: boolean): void {
  response.writeHead(200, {
    ...always,
    'content-type': `application/connect+${format}`,
    ...(isZipped && { 'connect-content-encoding': 'gzip' }),
  });
  response.flushHeaders();
}

export function endStream(response: ServerResponse, status: Partial<StatusObject>): void {
  if (response.destroyed || response.writableEnded) return;
  const values = Object.entries(textsOf(status.metadata)).map(([name, value]) => [name, [value]]);
  const end = {
    ...(status.code !== Code.OK && { error: wireErrorOf(status) }),
    ...(values.length > 0 && { metadata: Object.fromEntries(values) }),
  };
  response.end(enveloped(Buffer.from(JSON.stringify(end)), { isEnd: true }));
}

const headersOf = (trailers: Metadata | undefined) =>
  Object.fromEntries(
    Object.entries(textsOf(trailers)).map(([name, value]) => [`trailer-${name}`, value]),
  );

/** Without what is bytes: the details of errors have a place of their own. */
const textsOf = (metadata: Metadata | undefined): Record<string, string> =>
  Object.fromEntries(
    Object.entries(metadata?.getMap() ?? {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
