import { constants } from 'node:http2';
import { streamOf } from './shapes.js';

/**
 * Ends a stream that was answered and goes on. Its peer reads no more, so that the status
 * waits behind earlier messages; or it has not finished sending, for which grpc-js waits
 * without end.
 *
 * @param overloaded sends the peer HTTP/2's own code for RESOURCE_EXHAUSTED
 */
export function cutOff(call: object, overloaded: boolean): void {
  const stream = streamOf(call);
  if (!stream || stream.closed) return;
  stream.close(overloaded ? constants.NGHTTP2_ENHANCE_YOUR_CALM : constants.NGHTTP2_NO_ERROR);
}

export const isOpen = (call: object): boolean => streamOf(call)?.closed === false;
