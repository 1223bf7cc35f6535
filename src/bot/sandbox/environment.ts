import { join } from 'node:path';
import { systemPath } from './programs.js';
import { markName } from './strays.js';

/**
 * The environment of a run: built, so that nothing of the bot's own gets into it. What the
 * job and the engine set goes over it; the run's mark goes over that.
 */
export function environmentOf(
  run: { readonly mark: string; readonly folder: string | undefined },
  given: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const temporary = run.folder === undefined ? '/tmp' : join(run.folder, 'tmp');
  return {
    PATH: systemPath,
    HOME: temporary,
    TMPDIR: temporary,
    LANG: 'C',
    ...given,
    [markName]: run.mark,
  };
}
