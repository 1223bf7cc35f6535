import type { IncomingHttpHeaders } from 'node:http';
import { status as Code } from '@grpc/grpc-js';
import { accepts } from '../../core/accepted.js';
import type { Definition, Format } from './codec.js';
import { expectKnown } from './compression.js';
import { malformed, Refusal } from './refusal.js';

/** What a request says of itself before its body. */
export interface Asked {
  readonly format: Format;
  readonly isStream: boolean;
  /** Time that the caller gives, milliseconds; Infinity: as long as it takes. */
  readonly timeoutMs: number;
  /** How its message is compressed: "", "identity" or "gzip". */
  readonly encoding: string;
  readonly takesGzip: boolean;
}

const types =
  'application/json, application/proto, application/connect+json, application/connect+proto';
const pattern = /^application\/(connect\+)?(json|proto)(?:\s*;\s*charset="?utf-8"?)?\s*$/i;
/** A day: timers count in 32 bits. */
const longestMs = 86_400_000;

/** The format of a request for a stream, by its content-type; undefined: it is for none. */
export function streamFormatOf(headers: IncomingHttpHeaders): Format | undefined {
  const [, stream, format = ''] = pattern.exec(headers['content-type'] ?? '') ?? [];
  return stream === undefined ? undefined : formatOf(format);
}

/** @throws Refusal */
export function askedBy(headers: IncomingHttpHeaders, definition: Definition): Asked {
  const [found, stream, format = ''] = pattern.exec(headers['content-type'] ?? '') ?? [];
  const isStream = stream !== undefined;
  if (!found) {
    throw notTaken(
      `the content-type must be one of ${types}; with curl: -H 'content-type: application/json'`,
    );
  }
  if (definition.requestStream) {
    const message =
      'this method takes a stream of messages, for which HTTP/1.1 has no way: use gRPC';
    throw new Refusal(Code.UNIMPLEMENTED, message);
  }
  if (isStream !== definition.responseStream) {
    throw notTaken(
      isStream
        ? 'this method has no stream: the content-type is application/json or application/proto'
        : 'this method answers with a stream: the content-type is application/connect+json or application/connect+proto, and five bytes go before the message',
    );
  }
  expectVersion(headers['connect-protocol-version'], '1');
  const prefix = isStream ? 'connect-' : '';
  const encoding = String(headers[`${prefix}content-encoding`] ?? '');
  expectKnown(encoding);
  return {
    format: formatOf(format),
    isStream,
    timeoutMs: timeoutOf(headers['connect-timeout-ms']),
    encoding,
    takesGzip: accepts(String(headers[`${prefix}accept-encoding`] ?? ''), 'gzip'),
  };
}

/**
 * A unary call by GET has all of it in its address.
 *
 * @throws Refusal
 */
export function askedByQuery(
  headers: IncomingHttpHeaders,
  query: URLSearchParams,
): { asked: Asked; message: Buffer } {
  expectVersion(query.get('connect') ?? undefined, 'v1');
  const format = query.get('encoding') ?? '';
  if (format !== 'json' && format !== 'proto') throw malformed('encoding must be json or proto');
  const encoding = query.get('compression') ?? '';
  expectKnown(encoding);
  const text = query.get('message') ?? '';
  return {
    asked: {
      format,
      isStream: false,
      timeoutMs: timeoutOf(headers['connect-timeout-ms']),
      encoding,
      takesGzip: accepts(String(headers['accept-encoding'] ?? ''), 'gzip'),
    },
    message: Buffer.from(text, query.get('base64') === '1' ? 'base64url' : 'utf8'),
  };
}

const formatOf = (text: string): Format => (text.toLowerCase() === 'json' ? 'json' : 'proto');

function expectVersion(version: unknown, known: string): void {
  if (version === undefined || version === known) return;
  throw malformed(`the version of the Connect protocol must be ${known}`);
}

function timeoutOf(header: unknown): number {
  if (header === undefined) return Number.POSITIVE_INFINITY;
  if (typeof header === 'string' && /^\d{1,10}$/.test(header)) {
    return Math.min(Number(header), longestMs);
  }
  throw malformed('connect-timeout-ms must be a number of milliseconds, of at most 10 digits');
}

const notTaken = (message: string): Refusal =>
  new Refusal(Code.INVALID_ARGUMENT, message, 415, { 'accept-post': types });
