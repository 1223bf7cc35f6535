import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';

/** Where one attempt works; nothing of it outlives the attempt. */
export interface RunFolder {
  readonly path: string;
  /** The executable; named as its job names it, since stacks without symbols show the name. */
  readonly target: string;
  readonly corpus: string;
  readonly seeds: string;
  readonly artifacts: string;
  readonly temporary: string;
  remove(): Promise<void>;
}

export const runFolderName = ({ jobId, attempt, fence }: Lease) => `${jobId}_${attempt}_${fence}`;

/** The lease a folder was made for; undefined for a name of another make. */
export function leaseOfRunFolder(name: string): Lease | undefined {
  const match = /^([0-9a-f-]{36})_(\d{1,9})_(\d{1,15})$/.exec(name);
  if (!match) return undefined;
  return { jobId: match[1] as string, attempt: Number(match[2]), fence: Number(match[3]) };
}

/** Made anew: what an earlier run of the same lease left is gone. */
export async function makeRunFolder(
  runs: string,
  lease: Lease,
  targetName: string,
): Promise<RunFolder> {
  const path = join(runs, runFolderName(lease));
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 3 });
  const name = targetName
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .replace(/^\.+/, '')
    .slice(0, 64);
  await remove();
  const folder = {
    path,
    target: join(path, 'bin', name || 'target'),
    corpus: join(path, 'corpus'),
    seeds: join(path, 'seeds'),
    artifacts: join(path, 'artifacts'),
    temporary: join(path, 'tmp'),
    remove,
  };
  const parts = [
    join(path, 'bin'),
    folder.corpus,
    folder.seeds,
    folder.artifacts,
    folder.temporary,
  ];
  for (const part of parts) await mkdir(part, { recursive: true });
  return folder;
}
