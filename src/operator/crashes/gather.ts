import type { Connection } from '../../client/connect.js';
import { eachCrashGroup } from '../lists.js';
import type { CallOptions } from '../submit.js';
import { type Dossier, findDossier, groupDossier } from './dossier.js';
import { type GroupFlags, groupFilter } from './filter.js';

/**
 * What a report or an archive is made of: these crashes and groups, or every group that
 * matches. One at a time, so that any number of them needs little memory.
 */
export async function* gather(
  connection: Connection,
  flags: GroupFlags,
  ids: readonly string[],
  options: CallOptions,
): AsyncGenerator<Dossier> {
  if (ids.length > 0) {
    for (const text of ids) yield await findDossier(connection, text, options);
    return;
  }
  for await (const { id } of eachCrashGroup(connection, groupFilter(flags), options)) {
    yield await groupDossier(connection, id, options);
  }
}
