import { setTimeout as sleep } from 'node:timers/promises';
import { countdown } from './countdown.js';
import { Lines } from './lines.js';
import { VirtualBot } from './virtual-bot.js';

/** Streams of one connection; a real bot has one of its own, and costs a socket more. */
const botsPerLine = 500;
/** How often the bots whose turn it is beat. */
const tickMs = 20;
/** Before a bot looks for a master that has left: as it is asked to, plus jitter. */
const reconnectAfterMs = 1000;

/** Many bots with one job each, that beat as often as they are asked to. */
export class Crew {
  readonly #bots: readonly VirtualBot[];
  readonly #lines: Lines;
  readonly #left = new AbortController();
  #holding = countdown(0);
  #welcome = countdown(0);
  #done = countdown(0);
  #kept = 0;
  #answerTimesMs: number[] = [];

  constructor(address: string, botIds: readonly string[]) {
    this.#lines = new Lines(address, Math.ceil(botIds.length / botsPerLine));
    this.#bots = botIds.map((id, index) => {
      const bot: VirtualBot = new VirtualBot(id, 1, {
        welcomed: ({ leases }) => {
          this.#kept += leases.filter(({ keep }) => keep).length;
          this.#welcome.one();
        },
        assigned: () => this.#holding.one(),
        answered: (_, tookMs) => this.#answerTimesMs.push(tookMs),
        done: () => this.#done.one(),
        left: () => void this.#comeAgain(bot, index),
      });
      return bot;
    });
  }

  /** Resolves once each of them has its job. */
  async takeJobs(): Promise<void> {
    this.#holding = countdown(this.#bots.length);
    for (const [index, bot] of this.#bots.entries()) bot.connect(this.#lines.of(index));
    await this.#holding.over;
  }

  /** Each once an interval, evenly spread over it. @returns times until they were answered */
  async beat(intervalMs: number, forMs: number): Promise<readonly number[]> {
    this.#answerTimesMs = [];
    const startedAt = performance.now();
    for (let said = 0; ; ) {
      const passedMs = Math.min(performance.now() - startedAt, forMs);
      const due = Math.floor((passedMs / intervalMs) * this.#bots.length);
      for (; said < due; said++) this.#bots[said % this.#bots.length]?.beat();
      if (passedMs >= forMs) return this.#answerTimesMs;
      await sleep(tickMs);
    }
  }

  /** Resolves once all have been welcomed anew, with how many could keep their jobs. */
  async comeBack(): Promise<number> {
    this.#kept = 0;
    this.#welcome = countdown(this.#bots.length);
    await this.#welcome.over;
    return this.#kept;
  }

  /** Every job is completed, and the results are on disk. */
  async finish(): Promise<void> {
    this.#done = countdown(this.#bots.length);
    for (const bot of this.#bots) for (const lease of bot.leases.values()) bot.finish(lease);
    await this.#done.over;
  }

  leave(): void {
    this.#left.abort();
    this.#lines.close();
  }

  async #comeAgain(bot: VirtualBot, index: number): Promise<void> {
    const { signal } = this.#left;
    const waitMs = reconnectAfterMs * (1 + Math.random());
    await sleep(waitMs, undefined, { signal }).catch(() => {});
    if (!signal.aborted) bot.connect(this.#lines.of(index));
  }
}
