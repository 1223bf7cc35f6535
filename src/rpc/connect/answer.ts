import type { ServerResponse } from 'node:http';
import { status as Code, type Metadata, type StatusObject } from '@grpc/grpc-js';
import type { Asked } from './asked.js';
import type { Format } from './codec.js';
import { httpStatusOf } from './codes.js';
import { zipped } from './compression.js';
import { enveloped } from './envelope.js';
import { wireErrorOf } from './failure.js';
import type { Refusal } from './refusal.js';

const always = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** Answers a unary call with its message. */
export async function answerUnary(
  response: ServerResponse,
  { bytes, trailers }: { bytes: Buffer; trailers: Metadata | undefined },
  { format, takesGzip }: Asked,
): Promise<void> {
  const small = await zipped(bytes, takesGzip);
  if (response.destroyed) return;
  const body = small ?? bytes;
  response.writeHead(200, {
    ...always,
    'content-type': `application/${format}`,
    'content-length': body.length,
    ...(small && { 'content-encoding': 'gzip' }),
    ...headersOf(trailers),
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
  response.end(JSON.stringify(wireErrorOf(status)));
}

/** @param streamFormat of a request for a stream, which has its errors at its end */
export function refuseRequest(
  response: ServerResponse,
  { status, httpStatus, headers }: Refusal,
  streamFormat: Format | undefined,
): void {
  if (streamFormat === undefined || httpStatus !== undefined) {
    refuseUnary(response, status, httpStatus, headers);
    return;
  }
  beginStream(response, { format: streamFormat, takesGzip: false });
  endStream(response, status);
}

/** Begins a stream: its status is always 200, and what became of it stands at its end. */
export function beginStream(
  response: ServerResponse,
  { format, takesGzip }: Pick<Asked, 'format' | 'takesGzip'>,
): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(200, {
    ...always,
    'content-type': `application/connect+${format}`,
    ...(takesGzip && { 'connect-content-encoding': 'gzip' }),
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
