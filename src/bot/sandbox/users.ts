import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { UserRange } from '../../core/user-range.js';

/** Given to nobody by Debian, systemd, or the tools that hand out ranges for containers. */
export const defaultUsers: UserRange = { first: 70_000, last: 70_999 };

interface Claimed {
  readonly user: number;
  readonly claim: Server;
  isTaken: boolean;
}

/**
 * Users for runs, one for each that runs at the same time. Bots on one machine share the
 * range: a user is claimed by an abstract Unix socket of its number, which the kernel gives to
 * one process only, and takes back when that process ends.
 */
export class Users {
  readonly #claimed: Claimed[] = [];

  constructor(private readonly range: UserRange) {}

  /** @returns undefined when all are claimed */
  async take(): Promise<number | undefined> {
    const free = this.#claimed.find(({ isTaken }) => !isTaken);
    if (free) {
      free.isTaken = true;
      return free.user;
    }
    for (let user = this.range.first; user <= this.range.last; user++) {
      if (this.#claimed.some((one) => one.user === user)) continue;
      const claimed: Claimed = {
        user,
        claim: createServer((peer) => peer.destroy()),
        isTaken: true,
      };
      this.#claimed.push(claimed);
      if (await isClaimed(claimed)) return user;
      this.#claimed.splice(this.#claimed.indexOf(claimed), 1);
    }
    return undefined;
  }

  /** To be called when none of its processes is left. */
  giveBack(user: number): void {
    const claimed = this.#claimed.find((one) => one.user === user);
    if (claimed) claimed.isTaken = false;
  }

  /** Gives up every claim. */
  async close(): Promise<void> {
    const closing = this.#claimed
      .splice(0)
      .map(({ claim }) => new Promise<void>((resolve) => claim.close(() => resolve())));
    await Promise.all(closing);
  }
}

async function isClaimed({ user, claim }: Claimed): Promise<boolean> {
  claim.listen({ path: `\0pandafuzz-user-${user}` });
  try {
    await once(claim, 'listening');
    claim.unref();
    return true;
  } catch {
    return false;
  }
}
