import type { IncomingHttpHeaders } from 'node:http';
import { status as Code } from '@grpc/grpc-js';
import type { Definition, Format } from './codec.js';
import { malformed, Refusal } from './refusal.js';

/** What a request says of itself before its body. */
export interface Asked {
  readonly format: Format;
  readonly isStream: boolean;
  /** Time that the caller gives, milliseconds; Infinity: as long as it takes. */
  readonly timeoutMs: number;
  /** How the message is compressed, and what the caller takes in return. */
  readonly encoding: string;
  readonly accepts: string;
}

const types =
  'application/json, application/proto, application/connect+json, application/connect+proto';
const typePattern = /^application\/(connect\+)?(json|proto)(?:\s*;\s*charset="?utf-8"?)?\s*$/i;

/** A day: timers count in 32 bits. */
const longestMs = 86_400_000;

/** @throws Refusal */
export function askedBy(headers: IncomingHttpHeaders, { responseStream }: Definition): Asked {
  const [found, stream, format] = typePattern.exec(headers['content-type'] ?? '') ?? [];
  const isStream = stream !== undefined;
  if (!found) throw notTaken(`the content-type must be one of ${types}`);
  if (isStream !== responseStream) {
    throw notTaken(
      isStream
        ? 'this method has no stream: the content-type is application/json or application/proto'
        : 'this method answers with a stream: the content-type is application/connect+json or application/connect+proto, and the message has five bytes before it',
    );
  }
  expectVersion(headers['connect-protocol-version']);
  const prefix = isStream ? 'connect-' : '';
  return {
    format: format?.toLowerCase() === 'json' ? 'json' : 'proto',
    isStream,
    timeoutMs: timeoutOf(headers['connect-timeout-ms']),
    encoding: String(headers[`${prefix}content-encoding`] ?? ''),
    accepts: String(headers[`${prefix}accept-encoding`] ?? ''),
  };
}

/** @throws Refusal */
export function expectVersion(version: unknown): void {
  if (version === undefined || version === '1') return;
  throw malformed('connect-protocol-version must be 1');
}

/** @throws Refusal */
export function timeoutOf(header: unknown): number {
  if (header === undefined) return Number.POSITIVE_INFINITY;
  if (typeof header === 'string' && /^\d{1,10}$/.test(header)) {
    return Math.min(Number(header), longestMs);
  }
  throw malformed('connect-timeout-ms must be a number of milliseconds, of at most 10 digits');
}

function notTaken(message: string): Refusal {
  const hint = `${message}; with curl: -H 'content-type: application/json'`;
  return new Refusal(Code.INVALID_ARGUMENT, hint, 415, { 'accept-post': types });
}
