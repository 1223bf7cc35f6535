import { status as Code } from '@grpc/grpc-js';
import { messageOf } from '../../core/errors.js';
import { CompressedError, Frames } from '../streams/frames.js';
import type { InnerCall } from './shapes.js';

/**
 * Reads the messages of a stream from its bytes, in the place of grpc-js's decoder, its
 * queue and promise for each message, and the copy of the last message that it keeps.
 * Each `startRead` brings one message, and null after the last.
 */
export function readFrames<Message>(
  inner: InnerCall,
  take: (message: Message | null) => void,
): void {
  const { stream } = inner;
  const frames = new Frames(inner.maxReceiveMessageSize);
  inner.decoder = undefined; // replaced by `frames`; what it holds weighs half a KiB
  const endOfGrpc = inner.handleEndEvent;
  let isAsked = false;
  const answer = (message: Message | null) => {
    isAsked = false;
    take(message);
  };
  const next = (): Buffer | undefined => {
    try {
      return frames.next();
    } catch (error) {
      const code = error instanceof CompressedError ? Code.INTERNAL : Code.RESOURCE_EXHAUSTED;
      inner.sendStatus({ code, details: messageOf(error), metadata: null });
      isAsked = false;
      return undefined;
    }
  };
  const proceed = () => {
    const bytes = next();
    if (!isAsked || inner.checkCancelled()) return;
    if (bytes) answer(inner.handler.deserialize(bytes) as Message);
    else if (inner.receivedHalfClose) answer(null);
    else if (stream.isPaused()) stream.resume();
  };
  inner.startRead = () => {
    isAsked = true;
    proceed();
  };
  inner.handleDataFrame = (bytes) => {
    if (inner.checkCancelled()) return;
    frames.add(bytes);
    if (isAsked) proceed();
    if (!isAsked) stream.pause();
  };
  inner.handleEndEvent = () => {
    endOfGrpc.call(inner);
    if (isAsked) proceed();
  };
}
