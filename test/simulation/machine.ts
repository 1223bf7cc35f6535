import type { BotProcess } from './bot.js';
import type { Finding } from './findings.js';
import type { Random } from './random.js';
import { Wire } from './wire.js';
import type { World } from './world.js';

/** A machine with a bot's work folder: what outlives its processes. */
export interface Machine {
  readonly name: string;
  readonly identity: string;
  readonly slots: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly random: Random;
  /** Crashes that the master has not confirmed. */
  readonly spool: Finding[];
  /** Ids that the master has given it. */
  readonly botIds: Set<string>;
  /** Processes so far. */
  processes: number;
  process: BotProcess | undefined;
}

/** A stream to the master that serves; undefined while there is none. */
export function newStream(world: World, bot: BotProcess): Wire | undefined {
  const { master } = world;
  if (!master?.isServing) return undefined;
  const random = bot.random.fork(`wire ${world.timeline.now}`);
  return new Wire({ world, master, bot, random });
}
