import { randomBytes } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../core/folders.js';
import { JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';

/**
 * Room for the replay of one crash and its way to the spool after a target has filled
 * the disk, bytes.
 */
const reserveBytes = 2 ** 20;

/** Where one attempt works; nothing of it outlives the attempt. */
export interface RunFolder {
  readonly path: string;
  /** The executable; named as its job names it, since stacks without symbols show the name. */
  readonly target: string;
  /** What a bundle unpacks to; its executable is in it. */
  readonly bundle: string;
  /** The dictionary, where there is one. */
  readonly dictionary: string;
  readonly corpus: string;
  readonly seeds: string;
  readonly artifacts: string;
  /** Where sanitizers write their reports. */
  readonly logs: string;
  readonly temporary: string;
  /** Working folder of its programs. */
  readonly work: string;
  /** What an engine keeps for itself from one start to the next. */
  readonly state: string;
  /** A replayed input and what its process writes. */
  readonly replay: string;
  /** The same, of inputs that are put aside as the corpus is read. */
  readonly judged: string;
  /** What a survey of leaks reads and writes. */
  readonly survey: string;
  /** Gives back disk space that was kept for a crash on a full disk. */
  releaseReserve(): Promise<void>;
  remove(): Promise<void>;
}

export const runFolderName = ({ jobId, attempt, fence }: Lease) => `${jobId}_${attempt}_${fence}`;

/** The lease a folder was made for; undefined for a name of another make. */
export function leaseOfRunFolder(name: string): Lease | undefined {
  const match = /^([0-9a-f-]{36})_(\d{1,9})_(\d{1,15})$/.exec(name);
  if (!match) return undefined;
  return { jobId: match[1] as string, attempt: Number(match[2]), fence: Number(match[3]) };
}

/** Paths in a run's folder. */
export function runFolderAt(
  path: string,
  { targetName, executable }: Pick<JobSpec, 'targetName' | 'executable'>,
): RunFolder {
  const reserve = join(path, 'reserve');
  const name = targetName
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .replace(/^\.+/, '')
    .slice(0, 64);
  const bundle = join(path, 'bundle');
  return {
    path,
    bundle,
    target: executable === '' ? join(path, 'bin', name || 'target') : join(bundle, executable),
    dictionary: join(path, 'dictionary'),
    corpus: join(path, 'corpus'),
    seeds: join(path, 'seeds'),
    artifacts: join(path, 'artifacts'),
    logs: join(path, 'logs'),
    temporary: join(path, 'tmp'),
    work: join(path, 'work'),
    state: join(path, 'engine'),
    replay: join(path, 'replay'),
    judged: join(path, 'judged'),
    survey: join(path, 'survey'),
    releaseReserve: () => rm(reserve, { force: true }),
    remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/**
 * Made anew: what an earlier run of the same lease left is gone. Its folders stand as long as it
 * does: programs are started beside each other, and each is given those that are there.
 */
export async function makeRunFolder(runs: string, lease: Lease, spec: JobSpec): Promise<RunFolder> {
  const folder = runFolderAt(join(runs, runFolderName(lease)), spec);
  await folder.remove();
  const { corpus, seeds, artifacts, logs, temporary, work, state } = folder;
  const own = [join(folder.path, 'bin'), corpus, seeds, artifacts, logs, temporary, work, state];
  for (const part of [...own, folder.replay, folder.judged, folder.survey]) await makeFolder(part);
  await keepSpec(folder, spec);
  // Random: a disk that compresses would keep no room with zeros.
  await writeFile(join(folder.path, 'reserve'), randomBytes(reserveBytes));
  return folder;
}

/** Removes what is in a folder, and leaves the folder. */
export async function emptyFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}
/** For a bot that finds this run's crashes after this one was killed. */
export const keepSpec = (folder: RunFolder, spec: JobSpec): Promise<void> =>
  writeFile(join(folder.path, 'spec.bin'), JobSpec.encode(spec).finish());
