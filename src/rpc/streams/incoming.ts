import type { Readable } from 'node:stream';
import { askForMessage, takeMessages } from '../beneath/http2.js';

/**
 * The messages of a stream, one at a time, until its peer has sent the last one
 * or it is gone. Not by Node's own iterator: that destroys the stream when it
 * is told of an error, and with it the status that was still to be sent.
 */
export async function* messagesOf<Message>(stream: Readable): AsyncGenerator<Message> {
  let isOver = false;
  let wake = () => {};
  const onReadable = () => wake();
  const onOver = () => {
    isOver = true;
    wake();
  };
  stream.on('readable', onReadable);
  stream.once('end', onOver);
  stream.once('close', onOver);
  try {
    for (;;) {
      const message: Message | null = stream.read();
      if (message !== null) {
        yield message;
      } else {
        if (isOver || stream.destroyed) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    stream.off('readable', onReadable);
    stream.off('end', onOver);
    stream.off('close', onOver);
  }
}

/**
 * Hands each message to `hear` as it comes, without a promise and an object stream's
 * bookkeeping for each: heartbeats are many. While what `hear` returned is pending,
 * nothing more is read. Resolves when the peer has sent its last or is gone; rejects
 * with what `hear` threw, and then reads no more.
 */
export function eachMessage<Message>(
  stream: Readable,
  hear: (message: Message) => Promise<void> | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let isAsking = false;
    let isWanted = false;
    // A loop, where each message would otherwise be heard inside the hearing of the one before.
    const readOn = () => {
      isWanted = true;
      if (isAsking) return;
      isAsking = true;
      while (isWanted) {
        isWanted = false;
        askForMessage(stream);
      }
      isAsking = false;
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
