import type { Readable } from 'node:stream';

/**
 * The messages of a stream, one at a time, until its peer has sent the last one or is
 * gone. Node's own iterator would destroy the stream when an error is emitted on it, and
 * with it the status that was still to be sent.
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

/** Handles one message. Nothing more is read while the promise it returns is pending. */
export type Hear<Message> = (message: Message) => Promise<void> | undefined;

/** CallPath.receive (call-path.ts) by the events of grpc-js's object stream. */
export function receivePlainly<Message>(stream: Readable, hear: Hear<Message>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (error: unknown) => {
    stream.off('data', onMessage);
    stream.pause();
    reject(error);
  };
  const onMessage = (message: Message) => {
    try {
      const pending = hear(message);
      if (!pending) return;
      stream.pause();
      pending.then(() => stream.resume(), fail);
    } catch (error) {
      fail(error);
    }
  };
  stream.on('data', onMessage);
  stream.once('end', resolve);
  stream.once('close', resolve);
  return promise;
}
