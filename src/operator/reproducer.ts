import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { isNotFound } from '../client/failure.js';
import { downloadCrashInput } from '../client/transfer.js';
import { UserError } from '../core/errors.js';
import type { Crash } from '../gen/pandafuzz/v1/crash.js';
import { listCrashes } from './lists.js';
import { checkOutputFile } from './output-file.js';
import { withProgress } from './progress.js';
import type { CallOptions } from './submit.js';

/**
 * Downloads the input of a crash, or of the newest crash of a group.
 *
 * @param path empty: a name from kind and id, in the current folder
 * @throws UserError if the crash does not exist, or the file cannot be written
 */
export async function downloadReproducer(
  connection: Connection,
  crashOrGroupId: string,
  file: { path: string; replace: boolean },
  options: CallOptions = {},
): Promise<{ path: string; crash: Crash }> {
  const crash = await findCrash(connection, crashOrGroupId, options);
  const path = file.path || `${crash.kind}-${crash.id}`.replace(/[^A-Za-z0-9-]/g, '_');
  await checkOutputFile(path, file.replace);
  await withProgress('reproducer', (onProgress) =>
    downloadCrashInput(connection, crash.id, path, {
      onProgress,
      ...(options.signal && { signal: options.signal }),
    }),
  );
  return { path, crash };
}

async function findCrash(connection: Connection, id: string, options: CallOptions): Promise<Crash> {
  const { crashes } = connection;
  try {
    const { crash } = await unary(crashes, crashes.getCrash, { crashId: id }, options);
    if (crash) return crash;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  const filter = { groupId: id, jobId: '', limit: 1 };
  const [newest] = await listCrashes(connection, filter, options);
  if (newest) return newest;
  throw new UserError('there is no such crash or group: "pandafuzz crash list" shows them');
}
