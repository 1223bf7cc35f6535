import { innerOf } from './shapes.js';

/**
 * Sends messages on a stream, in one write, without the object stream that grpc-js puts
 * before it. That passes a message on only when the socket has the one before, so each
 * goes out in a frame of its own.
 *
 * @param onTaken called when the socket has them; never for a stream that is over
 */
export function writeTogether<Message>(
  call: object,
  messages: readonly Message[],
  onTaken: () => void,
): void {
  const inner = innerOf(call);
  if (inner.checkCancelled() || inner.stream.writableEnded) return;
  const frames: Buffer[] = [];
  for (const message of messages) {
    try {
      frames.push(inner.serializeMessage(message));
    } catch {
      inner.sendMessage(message, onTaken); // which ends the stream with a status for it
      return;
    }
  }
  inner.maybeSendMetadata();
  const bytes = frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames);
  inner.stream.write(bytes, (error) => {
    if (!error) onTaken();
  });
}
