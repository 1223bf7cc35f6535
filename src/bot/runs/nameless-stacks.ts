import type { EngineCommand } from '../engines/engine.js';
import { stackKeyOf } from '../findings/crash-key.js';
import type { CrashKey } from '../findings/findings.js';
import type { SandboxExit } from '../sandbox/sandbox.js';

/** A report with what could be read from it. */
export interface Account extends CrashKey {
  /** Known, and not to be kept again. */
  readonly isCounted?: boolean;
  readonly report: string;
  readonly exit: SandboxExit | undefined;
  /** Of the replay that made the report; undefined for the engine's own. */
  readonly replayCommand: EngineCommand | undefined;
}

/** More stacks than this are run alone each time. */
const mostStacks = 4096;

/** Where the names of a stack come from. */
export interface NameSources {
  /** The same report, with names; undefined when there are none to be had. */
  readonly named: () => Promise<Account | undefined>;
  /** The input, executed alone; undefined when nothing came of it. */
  readonly replayed: () => Promise<Account | undefined>;
}

/**
 * Distinct crashes by stacks without names, of all starts of a run. A stack that is known is a
 * known crash. Another one is named by its offsets, as its input may not crash again; where
 * there is no symbolizer, the input is run alone, with names.
 */
export class NamelessStacks {
  readonly #keys = new Map<string, CrashKey>();
  #areNamesNeeded = false;

  /** A crash came that only a start with names can describe. */
  get areNamesNeeded(): boolean {
    return this.#areNamesNeeded;
  }

  /** @param own the engine's report, without names */
  async account(own: Account, { named, replayed }: NameSources): Promise<Account> {
    const stackKey = stackKeyOf(own.report);
    const known = this.#keys.get(stackKey);
    if (stackKey !== '' && known) return { ...own, ...known, isCounted: true };
    const account = await named();
    if (account && (account.key !== '' || account.isKnown)) return this.#keep(stackKey, account);
    const found = await replayed();
    if (!found || found.key === '' || found.key === own.key) {
      // It comes with names when it comes again.
      this.#areNamesNeeded = true;
      // With names it may turn out that nothing of the stack is the target's own.
      return found?.key === '' && found.isKnown ? found : own;
    }
    return this.#keep(stackKey, found);
  }

  #keep(stackKey: string, account: Account): Account {
    const { key, hasFrames, place = '', isLeak = false } = account;
    if (key !== '' && stackKey !== '' && this.#keys.size < mostStacks) {
      this.#keys.set(stackKey, { key, hasFrames, place, isLeak });
    }
    return account;
  }
}
