import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * When answers are over: they are whole, or their caller has gone. A response that waits behind
 * another one on its connection has no socket yet, and Node does not close it with the
 * connection: so each connection is watched, by one listener for all its calls.
 */
export class Ends {
  readonly #waiting = new WeakMap<Socket, Set<() => void>>();

  /** Calls of this connection that are not over. */
  openOn(socket: Socket): number {
    return this.#waiting.get(socket)?.size ?? 0;
  }

  /** Calls `over` once. */
  watch({ socket }: IncomingMessage, response: ServerResponse, over: () => void): void {
    const waiting = this.#of(socket);
    const end = () => {
      if (waiting.delete(end)) over();
    };
    waiting.add(end);
    response.once('close', end);
    if (socket.destroyed) setImmediate(end);
  }

  #of(socket: Socket): Set<() => void> {
    const known = this.#waiting.get(socket);
    if (known) return known;
    const fresh = new Set<() => void>();
    this.#waiting.set(socket, fresh);
    socket.once('close', () => {
      for (const end of fresh) end();
    });
    return fresh;
  }
}
