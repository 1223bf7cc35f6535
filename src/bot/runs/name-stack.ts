import { messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import type { NamedFunction, Naming } from '../engines/naming.js';
import { namelessOffsets, withNames } from '../findings/stack-names.js';
import { type AskParts, askTarget } from './ask.js';

/**
 * A report whose stack has no names, with the names of its functions. For a crash that does not
 * happen again when its input is executed alone, and for one that came when the run was ending.
 *
 * @returns the report as it was where the symbolizer cannot be run, or knows no more
 */
export async function nameStack(
  report: string,
  parts: AskParts & { naming: Naming | undefined; log: Logger },
): Promise<string> {
  const { naming, log, signal } = parts;
  if (!naming || signal.aborted) return report;
  const names = new Map<string, Map<string, NamedFunction[]>>();
  try {
    for (const [module, offsets] of namelessOffsets(report)) {
      const { output } = await askTarget(parts)(naming.command(module, offsets));
      const found = naming.read(output);
      // One answer for each offset, or it is not known which is whose.
      if (found.length !== offsets.length) continue;
      names.set(module, new Map(offsets.map((offset, at) => [offset, found[at] ?? []])));
    }
  } catch (error) {
    log.warn({ why: messageOf(error) }, 'stack not named');
  }
  return withNames(report, names);
}
