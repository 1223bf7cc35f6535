import type { CallPath } from '../call-path.js';
import { answerTogether } from './answer.js';
import { receiveDirectly } from './read-messages.js';
import { writeTogether } from './write-together.js';

/** CallPath on private fields of grpc-js: for a server whose calls `missingShapes` has passed. */
export const fastPath: CallPath = {
  answer: (call, { message, trailers }) => answerTogether(call, message, trailers),
  receive: receiveDirectly,
  send: writeTogether,
};
