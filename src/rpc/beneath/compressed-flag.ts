import { status as Code } from '@grpc/grpc-js';
import { CompressedError } from '../streams/frames.js';
import { innerOf } from './shapes.js';
import { type Replace, replaceShared } from './shared-methods.js';

/**
 * Refuses messages that are marked as compressed on a call without grpc-encoding, as gRPC's
 * specification asks. grpc-js takes them as plain, so that compressed bytes are decoded.
 *
 * @param call any call: the function is that of all calls
 */
export function refuseUnnamedCompression(call: object): void {
  replaceShared(innerOf(call), 'decompressMessage', refusing);
}

const refusing: Replace<'decompressMessage'> = (decompressMessage) =>
  function refuse(message, encoding) {
    if (encoding === 'identity' && message[0] !== 0) {
      const details = new CompressedError().message;
      return Promise.reject({ code: Code.INTERNAL, details, metadata: null });
    }
    return decompressMessage.call(this, message, encoding);
  };
