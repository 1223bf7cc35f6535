import { join } from 'node:path';
import { loadMasterConfig } from '../config/load.js';
import { backgroundRunner } from '../core/context.js';
import { UserError } from '../core/errors.js';
import type { Signal } from '../core/signal.js';
import { type Copied, copyBlobs } from '../store/blobs.js';
import { s3Of } from './blob-settings.js';
import { openAtRest } from './store-at-rest.js';

const timeoutMs = 30_000;

/**
 * Copies the blobs of a master that is stopped between its folder and its bucket.
 *
 * @throws UserError
 */
export async function copyBlobsOf(
  { config: file, to }: { config: string | undefined; to: 'folder' | 's3' },
  { signal, onProgress }: { signal: Signal; onProgress: (copied: Copied) => void },
): Promise<Copied> {
  const environment = process.env;
  const config = loadMasterConfig({ environment, ...(file !== undefined && { file }) });
  if (config.blobs.url === '') {
    throw new UserError('blobs.url is empty: set the bucket, and how it is reached, for this too');
  }
  const { directory } = config.data;
  const { store, log } = await openAtRest({ directory, url: config.database.url });
  const inBackground = backgroundRunner({ timeoutMs, log });
  try {
    return await copyBlobs({
      directory: join(directory, 'blobs'),
      s3: s3Of(config.blobs),
      to,
      run: (operation, input) =>
        inBackground(operation.name, (ctx) => store.run(ctx, operation, input)),
      log,
      signal,
      onProgress,
    });
  } finally {
    await store.close();
  }
}
