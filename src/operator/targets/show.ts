import { unary } from '../../client/call.js';
import { Target, TargetBuild } from '../../gen/pandafuzz/v1/target.js';
import { plainLines } from '../format.js';
import { listTargets } from '../lists.js';
import { print } from '../output.js';
import { asking, type Flags } from '../session.js';
import { buildTable, targetTable } from './table.js';

/** `pandafuzz target …`. Prints the answer; throws UserErrors. */

export function showTargets(flags: Flags & { project?: string; limit: number }): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { project = '', limit } = flags;
    const targets = await listTargets(connection, { project, limit }, options);
    print(flags.json, {
      json: () => ({ targets: targets.map(Target.toJSON) }),
      text: () => targetTable(targets, Date.now()),
    });
  });
}

export function showTarget(flags: Flags & { project?: string }, name: string): Promise<void> {
  return asking(flags, async ({ targets }, options) => {
    const request = { project: flags.project ?? '', targetName: name };
    const { target, builds } = await unary(targets, targets.getTarget, request, options);
    print(flags.json, {
      json: () => ({
        target: target && Target.toJSON(target),
        builds: builds.map(TargetBuild.toJSON),
      }),
      text: () =>
        `${plainLines(`${target?.project}/${target?.name}`)}\n\n${buildTable(builds, Date.now())}`,
    });
  });
}
