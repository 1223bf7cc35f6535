import { unary } from '../client/call.js';
import { UserError } from '../core/errors.js';
import { Crash, CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import { bytes, plain } from './format.js';
import { listCrashes, listCrashGroups } from './lists.js';
import { print } from './output.js';
import { downloadReproducer } from './reproducer.js';
import { asking, type Flags } from './session.js';
import { crashDetails, crashGroupTable, crashTable } from './views.js';

/** `pandafuzz crash …`. Prints the answer; throws UserErrors. */

/** Lists groups; with a group or a job, single crashes. */
export function showCrashes(
  flags: Flags & { limit: number; group?: string; job?: string },
): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { group: groupId = '', job: jobId = '', limit } = flags;
    if (groupId === '' && jobId === '') {
      const groups = await listCrashGroups(connection, { limit }, options);
      print(flags.json, {
        json: () => ({ groups: groups.map(CrashGroup.toJSON) }),
        text: () => crashGroupTable(groups, Date.now()),
      });
      return;
    }
    const crashes = await listCrashes(connection, { groupId, jobId, limit }, options);
    print(flags.json, {
      json: () => ({ crashes: crashes.map(Crash.toJSON) }),
      text: () => crashTable(crashes, Date.now()),
    });
  });
}

export function showCrash(flags: Flags, crashId: string): Promise<void> {
  return asking(flags, async ({ crashes }, options) => {
    const { crash } = await unary(crashes, crashes.getCrash, { crashId }, options);
    if (!crash) throw new UserError('the master sent no crash');
    print(flags.json, {
      json: () => Crash.toJSON(crash),
      text: () => crashDetails(crash, Date.now()),
    });
  });
}

export function fetchReproducer(
  flags: Flags & { output?: string; force?: boolean },
  id: string,
): Promise<void> {
  return asking(flags, async (connection, options) => {
    const file = { path: flags.output ?? '', replace: flags.force ?? false };
    const { path, crash } = await downloadReproducer(connection, id, file, options);
    print(flags.json, {
      json: () => ({ path, crash: Crash.toJSON(crash) }),
      text: () =>
        plain(`${path} (${bytes(crash.inputSizeBytes)}, ${crash.kind} in ${crash.topFrame})`),
    });
  });
}
