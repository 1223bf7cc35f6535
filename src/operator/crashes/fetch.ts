import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '../../client/connect.js';
import { downloadCrashInput } from '../../client/transfer.js';
import { codeOf, UserError } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';
import { inputName } from '../../core/replay.js';
import { Crash, type CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import { bytes, plain } from '../format.js';
import { findId } from '../ids.js';
import { eachCrash, eachCrashGroup } from '../lists.js';
import { asJson, print } from '../output.js';
import { type Count, withCount } from '../progress.js';
import { downloadReproducer } from '../reproducer.js';
import { asking, type Flags } from '../session.js';
import type { CallOptions } from '../submit.js';
import { many } from './describe.js';
import { standingGroup } from './dossier.js';
import { type GroupFlags, groupFilter } from './filter.js';

/** `pandafuzz crash download`. */

/** One input: of a crash, or of a group that one to begin with. */
export function fetchReproducer(
  flags: Flags & { output?: string; force?: boolean },
  id: string,
): Promise<void> {
  return asking(flags, async (connection, options) => {
    const file = { path: flags.output ?? '', replace: flags.force ?? false };
    const { path, crash } = await downloadReproducer(connection, id, file, options);
    print(asJson(flags), {
      json: () => ({ path, crash: Crash.toJSON(crash) }),
      text: () =>
        plain(`${path} (${bytes(crash.inputSizeBytes)}, ${crash.kind} in ${crash.topFrame})`),
    });
  });
}

/** Every input that is kept: of one group, or of all that match. A folder for each group. */
export function fetchAll(
  flags: Flags & GroupFlags & { all: string },
  groupText: string | undefined,
): Promise<void> {
  const { all: folder } = flags;
  const filter = groupFilter(flags);
  return asking(flags, async (connection, options) => {
    const groups =
      groupText === undefined
        ? eachCrashGroup(connection, filter, options)
        : [await oneGroup(connection, groupText, options)];
    await folderAt(folder);
    const done = { groups: 0, inputs: 0, added: 0 };
    await withCount(async (count) => {
      for await (const group of groups) {
        done.groups += 1;
        await fetchGroup(connection, { group, folder, done, count }, options);
      }
    });
    print(asJson(flags), {
      json: () => ({ folder, ...done }),
      text: () => plain(`${folder}: ${soFar(done)}, ${done.added} of them new there`),
    });
  });
}

async function oneGroup(
  connection: Connection,
  text: string,
  options: CallOptions,
): Promise<CrashGroup> {
  const id = await findId(connection, text, 'crash group', options);
  return (await standingGroup(connection, id, options)).group;
}

interface GroupWork {
  readonly group: CrashGroup;
  readonly folder: string;
  readonly done: { groups: number; inputs: number; added: number };
  readonly count: Count;
}

/** What is there already stays as it is: a file appears only once it is whole. */
async function fetchGroup(
  connection: Connection,
  { group, folder, done, count }: GroupWork,
  options: CallOptions,
): Promise<void> {
  const groupFolder = join(folder, groupFolderName(group));
  await folderAt(groupFolder);
  for await (const crash of eachCrash(connection, { groupId: group.id }, options)) {
    done.inputs += 1;
    const path = join(groupFolder, inputName(crash));
    const isThere = await stat(path).then(
      (file) => file.size === crash.inputSizeBytes,
      () => false,
    );
    if (!isThere) {
      await downloadCrashInput(connection, crash.id, path, {
        ...(options.signal && { signal: options.signal }),
      });
      done.added += 1;
    }
    count(soFar(done));
  }
}

const soFar = ({ inputs, groups }: GroupWork['done']) =>
  `${many(inputs, 'input')} of ${many(groups, 'group')}`;

const longestKind = 40;

/** Short enough for a tar's header, with letters that lead nowhere else. */
export const groupFolderName = ({ kind, id }: CrashGroup): string =>
  `${kind.slice(0, longestKind)}-${id}`.replace(/[^A-Za-z0-9-]/g, '_');

const folderAt = (path: string) =>
  makeFolder(path).catch((error) => {
    throw codeOf(error) === 'EEXIST' ? new UserError(`${path} is a file: name a folder`) : error;
  });
