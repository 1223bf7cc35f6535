import { type ClientHttp2Session, connect } from 'node:http2';
import Database from 'better-sqlite3';
import { until } from '../measure.js';
import type { Stage } from '../stage.js';
import { Member, Tally } from './member.js';
import { type BotEvents, VirtualBot } from './virtual-bot.js';

/** Hellos without an answer while a fleet is switched on. A storm is another story. */
const arrivingAtOnce = 200;
/** Of 127.0.0.0/8: one address has too few ports for a fleet that comes again and again. */
const ownAddresses = 16;

export class Crew extends Tally {
  readonly members: readonly Member[];

  constructor(
    readonly stage: Stage,
    botIds: readonly string[],
  ) {
    super();
    const { master, bench } = stage;
    this.members = botIds.map((id, index) => {
      const ownAddress = `127.0.0.${2 + (index % ownAddresses)}`;
      const { secureContext } = bench;
      return new Member(id, this, { master: master.address, ownAddress, secureContext });
    });
  }

  /** Resolves once each of them is connected and has a job, which has to wait already. */
  async takeJobs(): Promise<void> {
    this.recount();
    for (const [index, member] of this.members.entries()) {
      const isRoom = () => index - this.welcomes < arrivingAtOnce;
      if (!isRoom()) await until('the first are welcomed', isRoom);
      member.come();
    }
    await until('everybody has a job', () => this.assigned >= this.members.length);
  }

  /** Resolves once so many have come since `recount`, and all are connected. */
  allBack(came = this.members.length): Promise<void> {
    const isSo = () => this.welcomes >= came && this.here === this.members.length;
    return until('all are back', isSo);
  }

  /** Their jobs are completed, and the results are on disk. */
  async finish(members = this.members): Promise<void> {
    await Promise.all(members.map((member) => member.lease && member.finish(member.lease)));
  }

  leave(): void {
    for (const member of this.members) member.vanish();
  }

  ledger() {
    const db = new Database(`${this.stage.master.directory}/pandafuzz.db`, { readonly: true });
    const text = `
      SELECT * FROM (
        SELECT count(*) AS jobs, count(*) FILTER (WHERE state = 'completed') AS completedJobs,
          coalesce(sum(failed_attempts + refused_attempts), 0) AS charged
        FROM jobs),
      (
        SELECT count(*) AS runs, count(*) FILTER (WHERE outcome = 'completed') AS completedRuns,
          count(*) FILTER (WHERE outcome = 'lost') AS lostRuns
        FROM attempts)`;
    const row = db.prepare(text).get() as Record<Count, number>;
    db.close();
    return row;
  }
}

/** Runs: attempts, with or without a result. Charged: those that count against a job's limit. */
type Count = 'jobs' | 'completedJobs' | 'charged' | 'runs' | 'completedRuns' | 'lostRuns';

const botsPerConnection = 10;

/** Bots on shared connections, for loads in which no connection is lost. */
export class Squad {
  readonly bots: readonly VirtualBot[];
  readonly #connections: readonly ClientHttp2Session[];

  /** `address`: of the server; `slots`: free ones of each bot. */
  constructor(address: string, botIds: readonly string[], slots: number, events: BotEvents) {
    const length = Math.ceil(botIds.length / botsPerConnection);
    this.#connections = Array.from({ length }, () => connect(`http://${address}`));
    this.bots = botIds.map((id) => new VirtualBot(id, slots, events));
    for (const [index, bot] of this.bots.entries()) {
      bot.connect(this.#connections[index % length] as ClientHttp2Session);
    }
    // A lost connection shows in what is waited for.
    for (const connection of this.#connections) connection.on('error', () => {});
  }

  /** One after the other, again and again. */
  bot(index: number): VirtualBot {
    return this.bots[index % this.bots.length] as VirtualBot;
  }

  close(): void {
    for (const connection of this.#connections) connection.destroy();
  }
}
