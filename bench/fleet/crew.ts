import { EventEmitter } from 'node:events';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { Latencies } from '../latencies.js';
import { Member } from './member.js';

/** Of a fleet that is switched on: Hellos without an answer. A storm is another story. */
const arrivingAtOnce = 200;
/** For anything a script waits for; what takes longer has gone wrong. */
const patienceMs = 60_000;
/** Of 127.0.0.0/8: one address has too few ports for a fleet that comes again and again. */
const ownAddresses = 16;

/** What has happened since `recount`. */
export interface Tally {
  /** Hellos that were answered. */
  welcomes: number;
  /** Leases named in them that live on, and that do not. */
  kept: number;
  abandoned: number;
  assigned: number;
  /** Times from beats to their answers. */
  readonly answers: Latencies;
}

/** Many bots of one slot each. */
export class Crew {
  readonly members: readonly Member[];
  readonly events = new EventEmitter<{ assigned: [lease: Lease] }>();
  readonly #here = new Set<Member>();
  readonly #waiting = new Set<() => void>();
  #tally = noTally();

  /** `address`: of the master. */
  constructor(address: string, botIds: readonly string[]) {
    this.members = botIds.map((id, index) => {
      const addresses = { master: address, own: `127.0.0.${2 + (index % ownAddresses)}` };
      return new Member(id, addresses, {
        welcomed: (member, { kept, abandoned }) => {
          this.#here.add(member);
          this.#tally.welcomes++;
          this.#tally.kept += kept;
          this.#tally.abandoned += abandoned;
          this.#happened();
        },
        left: (member) => this.#here.delete(member),
        assigned: (lease) => {
          this.#tally.assigned++;
          this.events.emit('assigned', lease);
          this.#happened();
        },
        answered: (tookMs) => this.#tally.answers.record(tookMs),
      });
    });
  }

  /** Bots on the line. */
  get here(): number {
    return this.#here.size;
  }

  get tally(): Readonly<Tally> {
    return this.#tally;
  }

  recount(): void {
    this.#tally = noTally();
  }

  /** Resolves once each of them is on the line and has its job. */
  async takeJobs(): Promise<void> {
    this.recount();
    for (const [index, member] of this.members.entries()) {
      const isRoom = ({ welcomes }: Tally) => index - welcomes < arrivingAtOnce;
      if (!isRoom(this.#tally)) await this.until('the first are welcomed', isRoom);
      member.come();
    }
    await this.until('everybody has a job', ({ assigned }) => assigned >= this.members.length);
  }

  /** Resolves once it is so. @throws Error when it is not in time */
  async until(what: string, isSo: (tally: Tally) => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (isSo(this.#tally)) resolve();
    };
    const timer = setTimeout(() => {
      const { answers, ...counts } = this.#tally;
      const sofar = JSON.stringify({ here: this.here, ...counts });
      reject(new Error(`not after ${patienceMs / 1000} s: ${what}; ${sofar}`));
    }, patienceMs);
    this.#waiting.add(look);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  /** Each beats once an interval, and when is its own affair. */
  pleaseThemselves(intervalMs: number): void {
    for (const member of this.members) {
      member.ownIntervalMs = intervalMs;
      member.beatIn(Math.random() * intervalMs);
    }
  }

  /** As ours do: from their next beats on. */
  followTheMaster(): void {
    for (const member of this.members) member.ownIntervalMs = undefined;
  }

  /** Every job is completed, and the results are on disk. */
  async finish(): Promise<void> {
    await Promise.all(this.members.map((member) => member.lease && member.finish(member.lease)));
  }

  leave(): void {
    for (const member of this.members) member.vanish();
  }

  #happened(): void {
    for (const look of this.#waiting) look();
  }
}

const noTally = (): Tally => ({
  ...{ welcomes: 0, kept: 0, abandoned: 0, assigned: 0 },
  answers: new Latencies(),
});
