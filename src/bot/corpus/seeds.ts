import { extract, list } from 'tar';
import { messageOf } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';

/** More than any corpus that is worth starting from; an archive must not fill the disk. */
export const seedLimits = { files: 200_000, totalBytes: 2 * 2 ** 30 } as const;

/** The archive of seeds is not usable; its author has to mend it. */
export class SeedsError extends Error {
  override readonly name = 'SeedsError';
}

/**
 * Unpacks the plain files of a .tar.gz into a new folder. Links, devices and
 * paths that lead out of it are passed over.
 *
 * @throws SeedsError when it cannot be read or holds more than `limits`
 */
export async function unpackSeeds(
  archive: string,
  folder: string,
  limits: { files: number; totalBytes: number } = seedLimits,
): Promise<void> {
  await makeFolder(folder);
  let files = 0;
  let totalBytes = 0;
  const wanted = (type: string) => type === 'File' || type === 'OldFile' || type === 'Directory';
  try {
    // Looked through first: a filter that throws half way would leave files behind.
    await list({
      file: archive,
      strict: true,
      onReadEntry: (entry) => {
        files += 1;
        totalBytes += entry.size;
      },
    });
  } catch (error) {
    throw new SeedsError(`the seeds are no readable .tar.gz: ${messageOf(error)}`);
  }
  if (files > limits.files || totalBytes > limits.totalBytes) {
    throw new SeedsError(
      `the seeds are too many: at most ${limits.files} files and ${limits.totalBytes} bytes`,
    );
  }
  await extract({
    file: archive,
    cwd: folder,
    preserveOwner: false,
    noChmod: true,
    noMtime: true,
    filter: (_path, entry) => 'type' in entry && wanted(entry.type),
  });
}
