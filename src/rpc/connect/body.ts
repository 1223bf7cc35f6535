import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { status as Code } from '@grpc/grpc-js';
import { malformed, Refusal } from './refusal.js';

const unzip = promisify(gunzip);
const zip = promisify(gzip);

/** Answers below this are sent as they are, bytes: the frame of gzip and its time are not worth it. */
const leastZipped = 1024;

/** The caller has gone: nobody is to be answered. */
export class CallerGone extends Error {
  override readonly name = 'CallerGone';
}

/**
 * The bytes of a request, at most `most`.
 *
 * @throws Refusal, CallerGone
 */
export function readBody(request: IncomingMessage, most: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > most) return Promise.reject(tooLarge(most));
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  const onData = (chunk: Buffer) => {
    size += chunk.length;
    if (size <= most) chunks.push(chunk);
    else reject(tooLarge(most));
  };
  const onEnd = () => resolve(Buffer.concat(chunks));
  const onClose = () => reject(new CallerGone());
  request.on('data', onData).once('end', onEnd).once('close', onClose).once('error', onClose);
  return promise.finally(() => {
    request.off('data', onData).off('end', onEnd).off('close', onClose);
    request.resume(); // what is left of one that is too large: Node ends it in time
  });
}

/** @param encoding as a header names it. @throws Refusal */
export async function decoded(bytes: Buffer, encoding: string, most: number): Promise<Buffer> {
  if (encoding === '' || encoding === 'identity') return bytes;
  if (encoding !== 'gzip') {
    const message =
      'the request is compressed in a way that is unknown here: there are gzip and identity';
    throw new Refusal(Code.UNIMPLEMENTED, message);
  }
  try {
    return await unzip(bytes, { maxOutputLength: most });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(most);
    throw malformed('the request is not what gzip makes');
  }
}

/** @returns undefined where it is not worth it. @param accepted what the caller takes, as a header has it */
export async function zipped(bytes: Buffer, accepted: string): Promise<Buffer | undefined> {
  if (bytes.length < leastZipped || !takesGzip(accepted)) return undefined;
  return await zip(bytes, { level: 1 });
}

/** "gzip", "br, gzip;q=0.5"; not "gzip;q=0". */
const takesGzip = (accepted: string): boolean =>
  accepted
    .split(',')
    .some((one) => /^\s*gzip\s*(;|$)/i.test(one) && !/;\s*q=0(\.0*)?\s*$/i.test(one));

const tooLarge = (most: number) =>
  new Refusal(
    Code.RESOURCE_EXHAUSTED,
    `the request is larger than ${most} bytes (grpc.max_message)`,
  );
