import type { Readable } from 'node:stream';

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
