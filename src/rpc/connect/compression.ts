import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { status as Code } from '@grpc/grpc-js';
import { codeOf } from '../../core/errors.js';
import { tooLarge } from './body.js';
import { malformed, Refusal } from './refusal.js';

const unzip = promisify(gunzip);
const zip = promisify(gzip);

/** Answers below this are sent as they are, bytes: the frame of gzip and its time are not worth it. */
const leastZipped = 1024;
/** The quickest: it takes a third of the time of zlib's own choice. */
const level = 1;

/** @throws Refusal for one that is unknown here */
export function expectKnown(encoding: string): void {
  if (encoding === '' || encoding === 'identity' || encoding === 'gzip') return;
  const message = 'the request is compressed in an unknown way: there are gzip and identity';
  throw new Refusal(Code.UNIMPLEMENTED, message);
}

/** @param longest bytes that may come of it. @throws Refusal */
export async function unzipped(bytes: Buffer, longest: number): Promise<Buffer> {
  try {
    return await unzip(bytes, { maxOutputLength: longest });
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(longest);
    throw malformed('the request is not what gzip makes');
  }
}

/** @returns undefined where it is not worth it */
export async function zipped(bytes: Buffer, takesGzip: boolean): Promise<Buffer | undefined> {
  return takesGzip && bytes.length >= leastZipped ? await zip(bytes, { level }) : undefined;
}
