import { copyFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadMasterConfig } from '../config/load.js';
import { codeOf, UserError } from '../core/errors.js';
import { describeTrouble } from '../core/system-trouble.js';
import { dataError } from '../operator/exit-codes.js';
import { bytes } from '../operator/format.js';
import { print } from '../operator/output.js';
import { withProgress } from '../operator/progress.js';
import { makeScratch } from '../operator/scratch.js';
import { untilStopped } from '../operator/session.js';
import { BlobFolder } from '../store/blobs.js';
import { type DatabaseFile, readyForMaster } from '../store/sqlite/database-file.js';
import { isThere, sync } from './files.js';
import { complainOfLost, lostAsJson } from './lost.js';
import { blobsName, databaseName, type Manifest } from './manifest.js';
import { copyDatabase, openChecked, type Source, sourceAt } from './source.js';
import { checkBlobs, fromFolder, Tally, takeBlobs } from './take-blobs.js';
import { type Target, targetAt } from './target.js';

export interface RestoreFlags {
  readonly to?: string;
  readonly config?: string;
  readonly check?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** The file beside a database that says how far it had come (docs/decisions/0406-epochs.md). */
const witnessName = 'pandafuzz.epoch';

/** What was found in a backup. */
export interface Found {
  /** Undefined: it was copied by hand. */
  readonly manifest: Manifest | undefined;
  readonly databaseBytes: number;
  readonly epoch: number;
  readonly tally: Tally;
  /** The bucket that has the blobs, where the backup has records only. */
  readonly bucketUrl?: string | undefined;
  /** Where that is what the data folder had before. */
  readonly keptAside?: string | undefined;
}

/** `pandafuzz restore`: checks a backup, and makes it a master's data folder. */
export async function restore(path: string, flags: RestoreFlags): Promise<void> {
  if (flags.check) {
    const checked = await untilStopped((signal) => checkBackup(path, signal));
    report(path, checked, { flags, headline: 'whole' });
    return;
  }
  const directory = flags.to ?? dataDirectoryOf(flags.config);
  const mayReplace = flags.force ?? false;
  const put = await untilStopped((signal) => putBack({ path, directory, mayReplace }, signal));
  report(path, put, { flags, headline: `restored to ${directory}`, directory });
}

/** Reads all of a backup. @throws UserError when it has no database that is whole */
export async function checkBackup(path: string, signal: AbortSignal): Promise<Found> {
  return checkSource(await sourceAt(path), signal);
}

/**
 * Makes a backup a master's data folder. Nothing is put into place before all of it is checked
 * and on disk.
 *
 * @throws UserError when nothing was put back
 */
export async function putBack(
  { path, directory, mayReplace }: { path: string; directory: string; mayReplace: boolean },
  signal: AbortSignal,
): Promise<Found> {
  const source = await sourceAt(path);
  await expectApart(path, directory);
  const target = await targetAt(directory, mayReplace);
  try {
    const found = await stage(source, target, signal);
    return { ...found, keptAside: await target.put() };
  } catch (error) {
    const trouble = describeTrouble(error);
    throw trouble === undefined ? error : new UserError(`nothing was restored: ${trouble}`);
  } finally {
    await target.end();
  }
}

const dataDirectoryOf = (file: string | undefined): string =>
  loadMasterConfig({ environment: process.env, ...(file !== undefined && { file }) }).data
    .directory;

async function expectApart(path: string, directory: string): Promise<void> {
  const [from, to] = await Promise.all(
    [path, directory].map((one) => realpath(one).catch(() => one)),
  );
  if (from === to) throw new UserError(`${path} is the data folder itself: name a backup of it`);
}

async function checkSource(source: Source, signal: AbortSignal): Promise<Found> {
  // SQLite writes beside a database that a master left: so a copy made by hand is copied.
  const folder = source.manifest ? undefined : await makeScratch('pandafuzz-check-');
  try {
    const database = folder
      ? await copyDatabase(source, join(folder, databaseName))
      : await openChecked(source, source.databasePath);
    return await describe(source, database, () =>
      withProgress('blobs', (onProgress) =>
        checkBlobs({ database, signal, onProgress }, source.blobs),
      ),
    );
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true });
  }
}

async function stage(source: Source, target: Target, signal: AbortSignal): Promise<Found> {
  const databasePath = join(target.staging, databaseName);
  const database = await copyDatabase(source, databasePath);
  const to = new BlobFolder(join(target.staging, blobsName));
  const take = fromFolder(source.blobs);
  const found = await describe(source, database, () =>
    withProgress('blobs', (onProgress) => takeBlobs({ database, to, take, signal, onProgress })),
  );
  signal.throwIfAborted();
  readyForMaster(databasePath, {
    lost: found.tally.lost.map(({ place }) => place),
    isInBucket: found.bucketUrl !== undefined,
  });
  await copyWitness(source, target);
  await sync(databasePath);
  await sync(target.staging);
  return found;
}

async function describe(
  { manifest, blobs }: Source,
  database: DatabaseFile,
  look: () => Promise<Tally>,
): Promise<Found> {
  try {
    const { epoch, bytes: databaseBytes, bucketUrl } = database;
    if (bucketUrl !== undefined && !(await isThere(blobs.directory))) {
      return { manifest, epoch, databaseBytes, tally: new Tally(), bucketUrl };
    }
    return { manifest, epoch, databaseBytes, tally: await look() };
  } finally {
    database.close();
  }
}

/** Keeps the witness of the data that was there: the new epoch has to be above its epoch too. */
async function copyWitness(source: Source, target: Target): Promise<void> {
  const folder = target.entries.includes(witnessName) ? target.path : source.folder;
  try {
    await copyFile(join(folder, witnessName), join(target.staging, witnessName));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function report(
  path: string,
  { manifest, databaseBytes, epoch, tally, bucketUrl, keptAside }: Found,
  done: { readonly flags: RestoreFlags; readonly headline: string; readonly directory?: string },
): void {
  const { flags, headline, directory } = done;
  const isWhole = tally.lostCount === 0;
  const blobs =
    bucketUrl === undefined
      ? `${tally.blobs - tally.lostCount} blobs`
      : `records only: its blobs are in ${bucketUrl}, and were not looked at`;
  const contents = `database ${bytes(databaseBytes)}, ${blobs}`;
  const made = manifest ? `, made at ${manifest.madeAt} by ${manifest.version}` : '';
  print(flags, {
    json: () => ({
      path,
      isWhole,
      ...(manifest && { madeAt: manifest.madeAt, version: manifest.version }),
      database: { sizeBytes: databaseBytes, epoch },
      blobs: { count: tally.blobs, sizeBytes: tally.bytes, lost: tally.lostCount },
      ...lostAsJson(tally),
      ...(bucketUrl !== undefined && { bucketUrl }),
      ...(directory !== undefined && { restoredTo: directory }),
      ...(keptAside !== undefined && { keptAside }),
    }),
    text: () =>
      [
        `${path} ${isWhole || directory ? headline : 'not whole'} (${contents}${made})`,
        ...(keptAside === undefined ? [] : [`what was there is in ${keptAside}`]),
        ...(directory === undefined ? [] : [nextStep]),
      ].join('\n'),
  });
  if (isWhole) return;
  complainOfLost(tally, `${tally.lostCount} blobs are missing or damaged in ${path}`);
  process.exitCode = dataError;
}

const nextStep =
  'Start the master: it begins a new epoch, in which leases given out after the backup are refused.';
