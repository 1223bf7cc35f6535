import { isolationNamed } from '../../core/isolation.js';
import type { BotRow, QueueRow } from '../../store/rows.js';
import { isolationOf } from '../messages/required-isolation.js';

/** What a bot offers for each of its slots. */
export interface Offer {
  readonly engines: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** 0: not stated. */
  readonly memoryMib: number;
  readonly diskMib: number;
  /** As pandafuzz.v1.Isolation; 0: not stated. */
  readonly isolation: number;
}

/** Requirements of a queue's jobs. */
export interface Need {
  readonly engine: string;
  readonly labels: Readonly<Record<string, string>>;
  /** 0: no requirement. */
  readonly memoryMib: number;
  readonly diskMib: number;
  /** The least level; 0: any. */
  readonly isolation: number;
}

export const offerOf = (bot: BotRow): Offer => ({
  engines: JSON.parse(bot.engines),
  labels: JSON.parse(bot.labels),
  memoryMib: bot.memory_mib,
  diskMib: bot.disk_mib,
  isolation: bot.isolation,
});

export const needOf = (queue: QueueRow): Need => ({
  engine: queue.engine,
  ...isolationOf(JSON.parse(queue.labels)),
  memoryMib: queue.memory_mib,
  diskMib: queue.disk_mib,
});

/** Requirements that the bot does not meet, in words that follow "the bot". */
export function mismatches(offer: Offer, need: Need): string[] {
  const found: string[] = [];
  if (!offer.engines.includes(need.engine)) found.push(`does not run ${need.engine}`);
  for (const [key, value] of Object.entries(need.labels)) {
    const has = Object.hasOwn(offer.labels, key) ? offer.labels[key] : undefined;
    if (has === undefined) found.push(`has no label ${key} (${value} is asked for)`);
    else if (has !== value) found.push(`has the label ${key}=${has}, not ${value}`);
  }
  if (offer.memoryMib < need.memoryMib) {
    found.push(`offers ${amount(offer.memoryMib)} of memory, not ${need.memoryMib} MiB`);
  }
  if (offer.diskMib < need.diskMib) {
    found.push(`offers ${amount(offer.diskMib)} of disk, not ${need.diskMib} MiB`);
  }
  if (offer.isolation < need.isolation) {
    const has = isolationNamed(offer.isolation);
    const level = isolationNamed(need.isolation);
    found.push(
      has
        ? `isolates runs at the level ${has}, not ${level}`
        : `does not state how it isolates runs (${level} is asked for)`,
    );
  }
  return found;
}

const amount = (mib: number) => (mib === 0 ? 'no stated amount' : `${mib} MiB`);

/** Whether there are no mismatches; without words, as it runs for every pair of kinds. */
export function fits(offer: Offer, need: Need): boolean {
  if (offer.memoryMib < need.memoryMib || offer.diskMib < need.diskMib) return false;
  if (offer.isolation < need.isolation || !offer.engines.includes(need.engine)) return false;
  for (const key of Object.keys(need.labels))
    if (!Object.hasOwn(offer.labels, key) || offer.labels[key] !== need.labels[key]) return false;
  return true;
}
