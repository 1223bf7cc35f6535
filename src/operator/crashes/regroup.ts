import { feed } from '../../client/call.js';
import { UserError } from '../../core/errors.js';
import { type CrashMove, RegroupCrashesResponse } from '../../gen/pandafuzz/v1/crash_service.js';
import { print } from '../output.js';
import { withCount } from '../progress.js';
import { asking, type Flags } from '../session.js';
import { many } from './describe.js';
import { moveTable } from './tables.js';

/** `pandafuzz crash regroup`: shows the progress, then what moved. */
export function regroupCrashes(flags: Flags & { dryRun?: boolean }): Promise<void> {
  const dryRun = flags.dryRun ?? false;
  return asking(flags, async ({ crashes }, { signal }) => {
    const moves: CrashMove[] = [];
    let last: RegroupCrashesResponse | undefined;
    await withCount(async (progress) => {
      for await (const one of feed(crashes, crashes.regroupCrashes, { dryRun }, signal)) {
        last = one;
        moves.push(...one.moves);
        progress(`${many(one.crashesRead, 'crash', 'crashes')} read`);
      }
    });
    if (!last) throw new UserError('the master did not say what came of it; run it again');
    const whole = { ...last, moves };
    print(flags, {
      json: () => ({ dryRun, ...(RegroupCrashesResponse.toJSON(whole) as object) }),
      text: () => summary(whole, dryRun),
    });
  });
}

function summary(whole: RegroupCrashesResponse, dryRun: boolean): string {
  const { crashesRead, crashesMoved, groups, moves } = whole;
  const moved = dryRun ? `${crashesMoved} would move` : `${crashesMoved} moved`;
  const result = `${many(crashesRead, 'crash', 'crashes')} read, ${moved}; ${many(groups, 'group')}`;
  if (moves.length === 0) return result;
  const rest = crashesMoved - moves.length;
  return [moveTable(moves), ...(rest > 0 ? [`and ${rest} more`] : []), '', result].join('\n');
}
