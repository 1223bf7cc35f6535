import { bubblewrap } from './bubblewrap.js';
import { helper } from './helper.js';
import type { SystemTools } from './tools.js';
import { unshared } from './unshared.js';

/**
 * How a run is kept together, and apart from the machine:
 *
 *   bubblewrap  namespaces, and a view of the file system of its own
 *   unshare     namespaces, and the machine's file system, read-only
 *   subreaper   a helper that ends whatever a run leaves behind
 *   group       a process group, for machines that have nothing better
 */
export type Way = 'bubblewrap' | 'unshare' | 'subreaper' | 'group';

/** Where a program runs, and what it may reach there. */
export interface Surroundings {
  /** Working folder. */
  readonly cwd: string;
  /** The run's folder: visible, and read-only but for `writable`; undefined: none. */
  readonly folder: string | undefined;
  /** Folders below it. */
  readonly writable: readonly string[];
  /** What else it may read, besides the system's programs. */
  readonly readable: readonly string[];
  readonly network: boolean;
  /** The engine gets a user of its own, so that what comes before it may not give up root. */
  readonly hasUser: boolean;
}

/**
 * The middle part of a command line.
 *
 * @returns undefined where a program is missing for this way
 */
export function enclosed(
  way: Way,
  tools: SystemTools,
  surroundings: Surroundings,
): string[] | undefined {
  switch (way) {
    case 'bubblewrap':
      return bubblewrap(tools, surroundings);
    case 'unshare':
      return unshared(tools, surroundings);
    case 'subreaper':
      return helper(tools, 'subreaper');
    case 'group':
      return [];
  }
}

/**
 * The first part: the signal that follows the bot's death. The helper sets its own. It goes
 * with the thread that starts the program, which is the main one.
 */
export const tiedToBot = (way: Way, tools: SystemTools): string[] =>
  tools.setpriv && way !== 'subreaper' ? [tools.setpriv, '--pdeathsig=KILL', '--'] : [];
