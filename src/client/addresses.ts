import { type Channel, connectivityState } from '@grpc/grpc-js';

/** Longest wait for a master before the next address is tried, milliseconds. */
const reachMs = 1_500;

/**
 * Where the masters of a cluster listen: tried in an order of chance, which spreads a fleet.
 * grpc-js's own shuffle never moves a list of two.
 */
export class Addresses {
  readonly #list: readonly string[];
  #at = 0;

  /** @param text HOST:PORT, or several, separated by commas */
  constructor(text: string, random: () => number = Math.random) {
    this.#list = shuffled([...new Set(text.split(',').map((one) => one.trim()))], random);
  }

  get size(): number {
    return this.#list.length;
  }

  get current(): string {
    return this.#list[this.#at] as string;
  }

  next(): void {
    this.#at = (this.#at + 1) % this.#list.length;
  }
}

/** Fisher and Yates. */
function shuffled<T>(list: T[], random: () => number): T[] {
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [list[last], list[other]] = [list[other] as T, list[last] as T];
  }
  return list;
}

/** Whether a master answers there. It is known soon where nobody listens, else after `reachMs`. */
export function isReachable(channel: Channel): Promise<boolean> {
  const { READY, TRANSIENT_FAILURE, SHUTDOWN } = connectivityState;
  const until = Date.now() + reachMs;
  return new Promise((resolve) => {
    const look = () => {
      const state = channel.getConnectivityState(true);
      if (state === READY) return resolve(true);
      if (state === TRANSIENT_FAILURE || state === SHUTDOWN) return resolve(false);
      channel.watchConnectivityState(state, until, (error) => (error ? resolve(false) : look()));
    };
    look();
  });
}
