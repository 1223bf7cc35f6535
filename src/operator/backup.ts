import { stat } from 'node:fs/promises';
import { downloadBackup } from '../client/transfer.js';
import { UserError } from '../core/errors.js';
import { bytes } from './format.js';
import { print } from './output.js';
import { withProgress } from './progress.js';
import { asking, type Flags } from './session.js';

/** What `pandafuzz backup` does. */
export async function fetchBackup(flags: Flags & { force: boolean }, path: string): Promise<void> {
  if (!flags.force && (await stat(path).catch(() => undefined))) {
    throw new UserError(`${path} is there already: give --force, or another name`);
  }
  await asking(flags, async (connection, { signal }) => {
    const copy = await withProgress('backup', (onProgress) =>
      downloadBackup(connection, path, { onProgress, signal }),
    );
    print(flags.json, {
      json: () => ({ path, ...copy }),
      text: () => `${path} (${bytes(copy.sizeBytes)}, checked)`,
    });
  });
}
