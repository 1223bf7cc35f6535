import { type ClientHttp2Session, connect } from 'node:http2';
import { type BotEvents, VirtualBot } from './virtual-bot.js';

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
