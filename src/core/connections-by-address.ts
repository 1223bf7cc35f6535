import type { Socket } from 'node:net';
import { networkOf } from './address-limits.js';

/** Bounds the open connections of each network address; of IPv6 a /64 is one. */
export class ConnectionsByAddress {
  readonly #open = new Map<string, number>();

  constructor(
    private readonly options: {
      readonly most: number;
      readonly onRefused: (address: string) => void;
    },
  ) {}

  /**
   * Counts a connection until it closes, or destroys it: there is no way to say why before
   * its peer has spoken.
   *
   * @returns whether it may stay
   */
  take(socket: Socket): boolean {
    const { most, onRefused } = this.options;
    const network = networkOf(socket.remoteAddress ?? '');
    const open = this.#open.get(network) ?? 0;
    if (open >= most) {
      socket.destroy();
      onRefused(network);
      return false;
    }
    this.#open.set(network, open + 1);
    socket.once('close', () => this.#leave(network));
    return true;
  }

  #leave(network: string): void {
    const left = (this.#open.get(network) ?? 1) - 1;
    if (left === 0) this.#open.delete(network);
    else this.#open.set(network, left);
  }
}
