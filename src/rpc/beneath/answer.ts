import { status as Code, type Metadata } from '@grpc/grpc-js';
import { innerOf } from './shapes.js';

/**
 * Answers a call that has one answer: sends its message and its status together, where
 * grpc-js waits with the status until the socket has taken the message.
 */
export function answerTogether<Message>(call: object, message: Message, trailers: Metadata): void {
  const inner = innerOf(call);
  inner.sendMessage(message, () => {});
  // A message that cannot be serialized has been answered with a status of its own.
  if (inner.metadataSent) {
    inner.sendStatus({ code: Code.OK, details: 'OK', metadata: trailers });
  }
}
