import { malformed } from './refusal.js';

/** Messages of a stream: a byte of flags, four of length, the message. */
const prefixBytes = 5;
const compressed = 1;
const endOfStream = 2;

export function enveloped(message: Buffer, { isCompressed = false, isEnd = false } = {}): Buffer {
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt8((isCompressed ? compressed : 0) | (isEnd ? endOfStream : 0));
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The one message of a request. @throws Refusal */
export function onlyMessage(body: Buffer): { message: Buffer; isCompressed: boolean } {
  if (body.length < prefixBytes) {
    throw malformed('the request has no message: a stream begins with five bytes before the first');
  }
  const [flags, length] = [body.readUInt8(), body.readUInt32BE(1)];
  const message = body.subarray(prefixBytes, prefixBytes + length);
  if (message.length < length) throw malformed('the message of the request is not whole');
  if ((flags & ~compressed) !== 0) throw malformed('the message of the request has unknown flags');
  if (body.length > prefixBytes + length) {
    throw malformed('the request has more than its one message');
  }
  return { message, isCompressed: flags === compressed };
}
