import type { Connection } from '../client/connect.js';
import { downloadCrashInput } from '../client/transfer.js';
import { inputName } from '../core/replay.js';
import type { Crash } from '../gen/pandafuzz/v1/crash.js';
import { crashOf, groupDossier } from './crashes/dossier.js';
import { findCrashOrGroup } from './ids.js';
import { checkOutputFile } from './output-file.js';
import { withProgress } from './progress.js';
import type { CallOptions } from './submit.js';

/**
 * Downloads the input of a crash, or of the reproducer of a group.
 *
 * @param path empty: a name from kind and id, in the current folder
 * @throws UserError if the crash does not exist, or the file cannot be written
 */
export async function downloadReproducer(
  connection: Connection,
  crashOrGroup: string,
  file: { path: string; replace: boolean },
  options: CallOptions = {},
): Promise<{ path: string; crash: Crash }> {
  const { id, resource } = await findCrashOrGroup(connection, crashOrGroup, options);
  const crash =
    resource === 'crash'
      ? await crashOf(connection, id, options)
      : (await groupDossier(connection, id, options)).crash;
  const path = file.path || inputName(crash);
  await checkOutputFile(path, file.replace);
  await withProgress('reproducer', (onProgress, onTrouble) =>
    downloadCrashInput(connection, crash.id, path, {
      onProgress,
      onTrouble,
      ...(options.signal && { signal: options.signal }),
    }),
  );
  return { path, crash };
}
