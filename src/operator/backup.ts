import { downloadBackup } from '../client/transfer.js';
import { bytes } from './format.js';
import { print } from './output.js';
import { checkOutputFile } from './output-file.js';
import { withProgress } from './progress.js';
import { asking, type Flags } from './session.js';

/** `pandafuzz backup`. */
export async function fetchBackup(flags: Flags & { force?: boolean }, path: string): Promise<void> {
  await checkOutputFile(path, flags.force ?? false);
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
