import type { Server } from '@grpc/grpc-js';
import { http2OptionsOf } from './shapes.js';

/**
 * Resets that one connection may send at once, and in each second after that. Below what
 * Node's own clients survive: with 20,000 here, a client that reset 2000 calls a second
 * stopped after half a minute (nghttp2 limits "glitches", such as late answers; that this
 * is the cause is a guess), and grpc-js repeated its calls on it without end. A connection
 * that the server closes first is opened anew.
 */
const resetsAtOnce = 5000;
const resetsPerSecond = 250;

/**
 * Raises Node's limit on reset streams, before the server has its first listener. A client
 * whose deadline passes resets its stream. Beyond 1000 such resets at once, or 33 a second,
 * Node takes a connection for an attack and drops it with every other call on it.
 */
export function allowResets(server: Server): void {
  const options = http2OptionsOf(server);
  if (!options) return;
  options.streamResetBurst = resetsAtOnce;
  options.streamResetRate = resetsPerSecond;
}
