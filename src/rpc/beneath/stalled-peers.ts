import { constants } from 'node:http2';
import { OverloadError, StalledError } from '../../core/errors.js';
import { streamOf } from './shapes.js';

/**
 * Ends a stream that was answered and goes on. Its peer reads no more, so that the status
 * waits behind earlier messages; or it has not finished sending, for which grpc-js waits
 * without end.
 *
 * @param unread messages wait that the peer does not read: it gets HTTP/2's own code for
 * RESOURCE_EXHAUSTED at once, as any other end would wait behind them
 */
export function cutOff(call: object, unread: boolean): void {
  const stream = streamOf(call);
  if (!stream || stream.closed) return;
  stream.close(unread ? constants.NGHTTP2_ENHANCE_YOUR_CALM : constants.NGHTTP2_NO_ERROR);
}

export const isOpen = (call: object): boolean => streamOf(call)?.closed === false;

/** Whether the peer will hear of its end by a reset alone: earlier messages wait for it to read. */
export function isUnread(call: object, cause: unknown): boolean {
  const isBehind = 'writableLength' in call && Number(call.writableLength) > 0;
  return cause instanceof OverloadError || (cause instanceof StalledError && isBehind);
}
