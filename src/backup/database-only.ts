import { downloadBackup } from '../client/transfer.js';
import { bytes } from '../operator/format.js';
import { print } from '../operator/output.js';
import { checkOutputFile } from '../operator/output-file.js';
import { withProgress } from '../operator/progress.js';
import { asking, type Flags } from '../operator/session.js';

/** `pandafuzz backup --database-only`. */
export async function fetchDatabase(
  flags: Flags & { force?: boolean },
  path: string,
): Promise<void> {
  await checkOutputFile(path, flags.force ?? false);
  await asking(flags, async (connection, { signal }) => {
    const copy = await withProgress('backup', (onProgress) =>
      downloadBackup(connection, path, { onProgress, signal }),
    );
    print(flags, {
      json: () => ({ path, ...copy }),
      text: () => `${path} (${bytes(copy.sizeBytes)}, checked)`,
    });
  });
}
