import { unary } from '../../client/call.js';
import { Target, TargetBuild } from '../../gen/pandafuzz/v1/target.js';
import { plainLines } from '../format.js';
import { type ListFlags, showListing } from '../listing.js';
import { targetPages } from '../lists.js';
import { print } from '../output.js';
import { asking, type Flags } from '../session.js';
import { targetSorts } from '../sorts.js';
import { buildTable, targetTable } from './table.js';

/** `pandafuzz target …`. Prints the answer; throws UserErrors. */

export function showTargets(
  flags: Flags & ListFlags & { project?: string; engine?: string },
): Promise<void> {
  const { project = '', engine } = flags;
  return asking(flags, (connection, options) =>
    showListing(flags, {
      items: 'targets',
      first: 'first',
      read: targetPages(connection, project, options),
      ...(engine !== undefined && {
        passes: ({ newest }: Target) => newest?.engine === engine,
      }),
      sorts: targetSorts,
      toJson: Target.toJSON,
      text: (targets, width) => targetTable(targets, Date.now(), width),
    }),
  );
}

export function showTarget(flags: Flags & { project?: string }, name: string): Promise<void> {
  return asking(flags, async ({ targets }, options) => {
    const request = { project: flags.project ?? '', targetName: name };
    const { target, builds } = await unary(targets, targets.getTarget, request, options);
    print(flags, {
      json: () => ({
        target: target && Target.toJSON(target),
        builds: builds.map(TargetBuild.toJSON),
      }),
      text: () =>
        `${plainLines(`${target?.project}/${target?.name}`)}\n\n${buildTable(builds, Date.now())}`,
    });
  });
}
