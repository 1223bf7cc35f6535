import { join } from 'node:path';

/** One thread does all work with files: strace counts the calls of each thread. */
export const oneFileThread = {
  UV_THREADPOOL_SIZE: '1',
  PANDAFUZZ_DATABASE_CHECKPOINT_INTERVAL: '1h',
  PANDAFUZZ_DATABASE_PROBE_INTERVAL: '1h',
};

/** All system calls that change the disk, in series of which each has the same files. */
export function writesOf(data: string): readonly { calls: string; paths?: readonly string[] }[] {
  const database = ['pandafuzz.db', 'pandafuzz.db-wal'].map((name) => join(data, name));
  const pack = [join(data, 'blobs/packs/0000000001.pack')];
  return [
    { calls: 'pwrite64', paths: database },
    { calls: 'fdatasync,fsync', paths: database },
    { calls: 'pwrite64,write,writev,pwritev', paths: pack },
    { calls: 'fdatasync,fsync', paths: pack },
    // Files of blobs have names that are not known before: of everything.
    { calls: 'fsync' },
    { calls: 'rename,renameat,renameat2' },
  ];
}
