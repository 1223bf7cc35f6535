import type { Registry } from 'prom-client';
import { readMetric } from './read-metric.js';

export interface MasterSources {
  readonly version: string;
  /** folder or s3. */
  readonly blobStore: string;
  /** As /readyz says. */
  readonly ready: () => boolean;
  /** At the last look at the disk. */
  readonly diskFreeBytes: () => number;
  /** limits.min_disk_free. */
  readonly leastDiskFreeBytes: number;
}

/** How the master itself does, from memory. */
export function watchMaster(registry: Registry, sources: MasterSources): void {
  const { version, blobStore, ready, diskFreeBytes, leastDiskFreeBytes } = sources;
  const gauge = (name: string, help: string, read: () => number, labels = {}) =>
    readMetric(registry, { name: `pandafuzz_${name}`, help, type: 'gauge' }, () => [
      [labels, read()],
    ]);
  gauge('build_info', 'Version of the master; always 1.', () => 1, { version });
  gauge('blob_store', 'Kind of the blob store, folder or s3; always 1.', () => 1, {
    kind: blobStore,
  });
  gauge('ready', 'Whether the master takes work, as /readyz: 1 or 0.', () => Number(ready()));
  gauge('disk_free_bytes', 'Bytes free on the disk of the data folder.', diskFreeBytes);
  gauge(
    'disk_least_free_bytes',
    'Bytes below which uploads are refused: limits.min_disk_free.',
    () => leastDiskFreeBytes,
  );
}
