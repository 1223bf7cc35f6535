import type { Clock } from './clock.js';
import { type Rate, RateLimit } from './rate-limit.js';

/** Addresses that are counted; the one that was first goes, and begins anew. */
const mostAddresses = 4096;

/** A limit for each network address, in a table that does not grow beyond a bound. */
export class AddressLimits {
  readonly #limits = new Map<string, RateLimit>();

  constructor(
    private readonly rate: Rate,
    private readonly clock: Clock,
  ) {}

  /** @returns whether the address was within its limit */
  take(address: string): boolean {
    const network = networkOf(address);
    let limit = this.#limits.get(network);
    if (!limit) {
      limit = new RateLimit(this.rate, this.clock);
      this.#limits.set(network, limit);
      if (this.#limits.size > mostAddresses) {
        this.#limits.delete(this.#limits.keys().next().value ?? '');
      }
    }
    return limit.take();
  }
}

/** One customer has a /64 of IPv6, and as many addresses as it likes. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) while (groups.length < 4) groups.push('0');
  return groups.slice(0, 4).join(':');
}
