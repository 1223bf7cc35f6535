import type { Readable } from 'node:stream';
import type { Hear } from '../streams/incoming.js';
import { readFrames } from './read-frames.js';
import { innerOf } from './shapes.js';

/**
 * Hands each message of a stream to `hear` as it comes, without a promise and an object
 * stream's bookkeeping for each: heartbeats are many. CallPath.receive says the rest.
 */
export function receiveDirectly<Message>(stream: Readable, hear: Hear<Message>): Promise<void> {
  return new Promise((resolve, reject) => {
    let isReading = false;
    let isWanted = false;
    // A loop, where each message would otherwise be handled inside the handling of the one before.
    const readOn = () => {
      isWanted = true;
      if (isReading) return;
      isReading = true;
      while (isWanted) {
        isWanted = false;
        innerOf(stream).startRead();
      }
      isReading = false;
    };
    takeMessages<Message>(stream, (message) => {
      if (message === null) return resolve();
      try {
        const pending = hear(message);
        if (pending) pending.then(readOn, reject);
        else readOn();
      } catch (error) {
        reject(error);
      }
    });
    stream.once('close', resolve);
    readOn();
  });
}

/** Puts `take` in the place of grpc-js's object stream; a peer that compresses keeps its decoder. */
function takeMessages<Message>(stream: Readable, take: (message: Message | null) => void): void {
  const inner = innerOf(stream);
  if (inner.incomingEncoding === 'identity') readFrames(inner, take);
  else {
    stream.push = (message: Message | null) => {
      take(message);
      return true;
    };
  }
}
