import { codeOf, DomainError, messageOf, UserError } from '../../../core/errors.js';

/** What an error of the SDK has, whatever its class. */
interface Fault {
  readonly name: string;
  /** The HTTP status; undefined: no whole answer came. */
  readonly status: number | undefined;
}

export function faultOf(error: unknown): Fault {
  const name = error instanceof Error ? error.name : 'Error';
  const meta = (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata;
  return { name, status: meta?.httpStatusCode };
}

/** A request that got no answer, or no more of its answer, in time. */
export class SilenceError extends Error {
  override readonly name = 'SilenceError';
}

/** An answer that contradicts itself or what is known: damage on the way, or at the server. */
export class WrongAnswerError extends Error {
  override readonly name = 'WrongAnswerError';
}

/** Of a key without an object; the code is that of a missing file. */
export class NoObjectError extends Error {
  override readonly name = 'NoObjectError';
  readonly code = 'ENOENT';
}

/** Refusals that say: the bytes were damaged on the way, or came too slowly. Another try may pass. */
const damagedOnTheWay = new Set([
  ...['BadDigest', 'InvalidDigest', 'XAmzContentSHA256Mismatch', 'IncompleteBody'],
  ...['RequestTimeout', 'RequestTimeTooSkewed', 'ConditionalRequestConflict', 'OperationAborted'],
  ...['SlowDown', 'SlowDownWrite', 'SlowDownRead', 'ThrottlingException', 'TooManyRequests'],
]);

/** Whether the next try may go another way. */
export function isPassing(error: unknown): boolean {
  if (error instanceof NoObjectError) return false;
  if (error instanceof SilenceError || error instanceof WrongAnswerError) return true;
  if (error instanceof DomainError || error instanceof TypeError) return false;
  const { name, status } = faultOf(error);
  if (damagedOnTheWay.has(name)) return true;
  // No whole answer: a broken connection, a name that is not found, an answer that is no XML.
  if (status === undefined || status < 300) return true;
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

/**
 * The key has no object, in S3's own words. Any other 404 (which the library names NotFound) is
 * no answer of S3: nothing is taken for lost by it. A HEAD has no words.
 */
export const isMissing = (error: unknown, operation: string): boolean => {
  const { name } = faultOf(error);
  return (
    name === 'NoSuchKey' || name === 'NoSuchUpload' || (name === 'NotFound' && operation === 'head')
  );
};

/** The object was there already. */
export const isThere = (error: unknown): boolean => faultOf(error).status === 412;

/** The server has no conditional writes. */
export const isUnknownToServer = (error: unknown): boolean => {
  const { name, status } = faultOf(error);
  return status === 501 || name === 'NotImplemented';
};

/** For callers: no addresses, no names of accounts. */
export function inOneWord(error: unknown): string {
  const { name, status } = faultOf(error);
  const word = codeOf(error) ?? name;
  return status === undefined ? word : `${word}, HTTP ${status}`;
}

/** One line for the log, and for who starts the master. */
export function inBrief(error: unknown): string {
  const { name, status } = faultOf(error);
  const message = messageOf(error).split('\n', 1)[0]?.slice(0, 200) ?? '';
  const what = name === 'Error' || message.startsWith(name) ? message : `${name}: ${message}`;
  return status === undefined ? what : `${what} (HTTP ${status})`;
}

/** An error of the start, in words that say what to set. */
export function inWords(error: unknown, where: { bucket: string; endpoint: string }): UserError {
  const { name, status } = faultOf(error);
  const { bucket } = where;
  const server = where.endpoint === '' ? 'Amazon S3' : where.endpoint;
  const brief = inBrief(error);
  if (name === 'NoSuchBucket' || name === 'NotFound') {
    return new UserError(`blobs.url: there is no bucket ${bucket} at ${server}: make it first`);
  }
  if (name === 'PermanentRedirect' || name === 'AuthorizationHeaderMalformed' || status === 301) {
    return new UserError(
      `blobs.region: the bucket ${bucket} is in another region than this one (${brief})`,
    );
  }
  if (name === 'CredentialsProviderError' || /credential/i.test(name)) {
    return new UserError(
      `blobs.url: no credentials for ${server}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give this machine a role (${brief})`,
    );
  }
  if (/Region is missing/i.test(brief)) {
    return new UserError('blobs.region: no region is set, neither here nor by AWS_REGION');
  }
  if (status === 401 || status === 403) {
    return new UserError(
      `blobs.url: ${server} lets these credentials not list, read, write and delete in the bucket ${bucket} (${brief})`,
    );
  }
  return new UserError(`blobs.url: the bucket ${bucket} at ${server} cannot be used: ${brief}`);
}
