import { innerOf } from './shapes.js';
import { type Replace, replaceShared } from './shared-methods.js';

/**
 * Drops messages of a call whose status has been given. grpc-js gives one itself when a
 * client's deadline passes, and goes on to write what a handler had still to send: an error on
 * a stream that has ended, after which it never closes and its client waits without end.
 *
 * @param call any call: the function is that of all calls
 */
export function dropLateMessages(call: object): void {
  replaceShared(innerOf(call), 'sendMessage', dropping);
}

const dropping: Replace<'sendMessage'> = (sendMessage) =>
  function drop(message, onTaken) {
    if (this.wantTrailers) return onTaken();
    sendMessage.call(this, message, onTaken);
  };
