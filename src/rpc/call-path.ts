import type { Readable, Writable } from 'node:stream';
import type { Metadata, sendUnaryData } from '@grpc/grpc-js';
import { type Hear, receivePlainly } from './streams/incoming.js';

/**
 * The operations on a call that have two implementations: `plainPath`, on grpc-js's
 * public API, and `fastPath` (beneath/fast-path.ts), on its private fields. The server
 * chooses one when it starts.
 */
export interface CallPath {
  /** Answers a call with its message and the status OK. */
  answer<Response>(
    call: object,
    answer: { readonly message: Response; readonly trailers: Metadata },
    callback: sendUnaryData<Response>,
  ): void;
  /**
   * Reads a stream's messages one by one. Resolves when the peer has sent its last
   * message or is gone. Rejects with the error that `hear` threw, and then reads no more.
   */
  receive<Message>(stream: Readable, hear: Hear<Message>): Promise<void>;
  /**
   * Sends messages. `onTaken` is called when the socket has all of them; never for a
   * stream that is over.
   */
  send<Message>(stream: Writable, messages: readonly Message[], onTaken: () => void): void;
  /** Called when a part of a download was written: edge/unsent.ts counts it. */
  sending?(stream: Writable): void;
}

export const plainPath: CallPath = {
  answer: (_, { message, trailers }, callback) => callback(null, message, trailers),
  receive: receivePlainly,
  send(stream, messages, onTaken) {
    const last = messages.length - 1;
    for (const [index, message] of messages.entries()) {
      stream.write(message, (error) => {
        if (!error && index === last) onTaken();
      });
    }
  },
};
