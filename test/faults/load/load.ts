import { connect } from '../../../src/client/connect.js';
import { atEnd } from '../../endings.js';
import type { History } from '../history/history.js';
import { LoadBot } from './bot.js';
import { Chance } from './chance.js';
import { Operator, type Setting } from './operator.js';
import { pause } from './times.js';

export interface LoadOptions {
  /** Of the master. */
  readonly address: string;
  /** Of the way that bots take, if it is another. */
  readonly botAddress?: string;
  readonly history: History;
  readonly seed: number;
  readonly bots?: number;
  readonly operators?: number;
  readonly timeoutMs?: number;
  readonly paceMs?: number;
  readonly beatMs?: number;
  readonly botName?: string;
  readonly runMs?: number;
}

/** Bots and operators of one seed at work, each with a connection of its own. */
export class Load {
  readonly bots: readonly LoadBot[];
  readonly operators: readonly Operator[];
  readonly #over = new AbortController();
  readonly #giveUp = new AbortController();
  readonly #connections: { close(): void }[] = [];
  readonly #work: Promise<unknown>;

  constructor(options: LoadOptions) {
    const { address, botAddress = address, beatMs = 200, botName = 'bot' } = options;
    const setting = (name: string, to: string): Setting => {
      const connection = connect(to);
      this.#connections.push(connection);
      return {
        connection,
        name,
        history: options.history,
        chance: new Chance(options.seed, name),
        timeoutMs: options.timeoutMs ?? 5000,
        paceMs: options.paceMs ?? 20,
        runMs: options.runMs ?? 150,
        over: this.#over.signal,
        giveUp: this.#giveUp.signal,
      };
    };
    this.operators = Array.from(
      { length: options.operators ?? 3 },
      (_, i) => new Operator(setting(`operator-${i}`, address)),
    );
    this.bots = Array.from(
      { length: options.bots ?? 4 },
      (_, i) => new LoadBot(setting(`${botName}-${i}`, botAddress), beatMs),
    );
    this.#work = Promise.all([...this.operators, ...this.bots].map((actor) => actor.work()));
    this.#work.catch(() => {}); // end() throws it
    atEnd(() => this.end(0));
  }

  /**
   * Nothing new begins; what is under way is repeated until it is answered, for so long.
   * Resolves when nobody sends anything any more.
   */
  async end(patienceMs: number): Promise<void> {
    this.#over.abort();
    await Promise.race([this.#work, pause(patienceMs, this.#giveUp.signal)]);
    this.#giveUp.abort();
    await this.#work;
    for (const connection of this.#connections.splice(0)) connection.close();
  }
}
