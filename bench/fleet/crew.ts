import Database from 'better-sqlite3';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import type { Stage } from '../stage.js';
import { Member } from './member.js';
import { Tally } from './tally.js';

/** Hellos without an answer while a fleet is switched on. A storm is another story. */
const arrivingAtOnce = 200;
/** Of 127.0.0.0/8: one address has too few ports for a fleet that comes again and again. */
const ownAddresses = 16;

/** Many bots of one slot each. */
export class Crew {
  readonly tally = new Tally();
  readonly members: readonly Member[];
  /** Called with each lease that a bot takes. */
  onAssigned: (lease: Lease) => void = () => {};

  constructor(
    readonly stage: Stage,
    botIds: readonly string[],
  ) {
    this.members = botIds.map((id, index) => {
      const own = `127.0.0.${2 + (index % ownAddresses)}`;
      const addresses = { master: stage.master.address, own };
      return new Member(id, addresses, this.tally, (lease) => this.onAssigned(lease));
    });
  }

  /** Resolves once each of them is connected and has a job, which has to wait already. */
  async takeJobs(): Promise<void> {
    const { tally, members } = this;
    tally.reset();
    for (const [index, member] of members.entries()) {
      const isRoom = () => index - tally.welcomes < arrivingAtOnce;
      if (!isRoom()) await tally.until('the first are welcomed', isRoom);
      member.come();
    }
    await tally.until('everybody has a job', () => tally.assigned >= members.length);
  }

  /** Resolves once so many have come since the tally's reset, and all are connected. */
  allBack(came = this.members.length): Promise<void> {
    const { tally, members } = this;
    const isSo = () => tally.welcomes >= came && tally.here === members.length;
    return tally.until('all are back', isSo);
  }

  /** Every job is completed, and the results are on disk. */
  async finish(members = this.members): Promise<void> {
    await Promise.all(members.map((member) => member.lease && member.finish(member.lease)));
  }

  leave(): void {
    for (const member of this.members) member.vanish();
  }

  /** Counts of the master's database. */
  ledger(): Ledger {
    const path = `${this.stage.master.directory}/pandafuzz.db`;
    const db = new Database(path, { readonly: true });
    const text = `
      SELECT * FROM (
        SELECT count(*) AS jobs, count(*) FILTER (WHERE state = 'completed') AS completedJobs,
          coalesce(sum(failed_attempts + refused_attempts), 0) AS charged
        FROM jobs),
      (
        SELECT count(*) AS runs, count(*) FILTER (WHERE outcome = 'completed') AS completedRuns,
          count(*) FILTER (WHERE outcome = 'lost') AS lostRuns
        FROM attempts)`;
    try {
      return db.prepare<[], Ledger>(text).get() as Ledger;
    } finally {
      db.close();
    }
  }
}

export interface Ledger {
  readonly jobs: number;
  readonly completedJobs: number;
  /** Runs that were ever begun, with or without a result. */
  readonly runs: number;
  readonly completedRuns: number;
  readonly lostRuns: number;
  /** Attempts that count against a job's limit, with no result to show for it. */
  readonly charged: number;
}
