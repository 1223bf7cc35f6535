import type { Connection } from '../../client/connect.js';
import { BotState } from '../../gen/pandafuzz/v1/bot.js';
import { listBots } from '../lists.js';
import type { CallOptions } from '../submit.js';

/** Bots that are looked at: a fleet of many has many of each machine. */
const mostBots = 1000;

/** As Node's `os.arch()` names them; bots say it in their label `arch`. */
const known = new Set([
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'mips',
  'ppc64',
  'riscv64',
  's390x',
  'x64',
]);

/**
 * The machines of the fleet. Empty where that is not known: there is no bot, or one that does
 * not say what it is.
 */
export async function machinesOf(
  connection: Connection,
  options: CallOptions,
): Promise<ReadonlySet<string>> {
  const bots = await listBots(connection, { limit: mostBots }, options);
  const online = bots.filter(({ state }) => state !== BotState.OFFLINE);
  const machines = (online.length > 0 ? online : bots).map(({ labels }) => labels['arch'] ?? '');
  return new Set(machines.every((machine) => known.has(machine)) ? machines : []);
}
