import { status as Code } from '@grpc/grpc-js';
import { CompressedError } from '../streams/frames.js';
import { type InnerCall, innerOf } from './shapes.js';

type Decompress = (message: Buffer, encoding: string) => unknown;

/**
 * Refuses messages that are marked as compressed on a call without grpc-encoding, as gRPC's
 * specification asks. grpc-js takes them as plain, so that compressed bytes are decoded.
 *
 * @param call any call: the function is that of all calls
 */
export function refuseUnnamedCompression(call: object): void {
  const shared: { decompressMessage?: Decompress } | null = Object.getPrototypeOf(innerOf(call));
  const decompress = shared?.decompressMessage;
  if (!shared || !decompress || refusing.has(decompress)) return;
  const refuse: Decompress = function refuse(this: InnerCall, message, encoding) {
    if (encoding === 'identity' && message[0] !== 0) {
      const details = new CompressedError().message;
      return Promise.reject({ code: Code.INTERNAL, details, metadata: null });
    }
    return decompress.call(this, message, encoding);
  };
  refusing.add(refuse);
  shared.decompressMessage = refuse;
}

/** The functions that refuse already: a process may have several masters. */
const refusing = new WeakSet<Decompress>();
