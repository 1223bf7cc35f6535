import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fingerprint } from '../client/file-chunks.js';
import { UserError } from '../core/errors.js';
import { dataError, noInput } from '../operator/exit-codes.js';
import { BlobFolder } from '../store/blobs.js';
import { DatabaseFile } from '../store/sqlite/database-file.js';
import { copySynced } from './files.js';
import { blobsName, databaseName, type Manifest, readManifest } from './manifest.js';

/** What is to be restored. */
export interface Source {
  readonly databasePath: string;
  readonly blobs: BlobFolder;
  /** Undefined: a copy that was made by hand. */
  readonly manifest: Manifest | undefined;
  /** Folder with what else lies beside the database. */
  readonly folder: string;
}

/**
 * A backup, a copy of a data folder that was made by hand, or the copy of a database alone.
 *
 * @throws UserError
 */
export async function sourceAt(path: string): Promise<Source> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new UserError(`there is no ${path}`, noInput);
  if (!found.isDirectory()) {
    const folder = dirname(path);
    const blobs = new BlobFolder(join(folder, blobsName));
    return { databasePath: path, blobs, manifest: undefined, folder };
  }
  const manifest = await readManifest(path);
  const databasePath = join(path, databaseName);
  if (!(await stat(databasePath).catch(() => undefined))) {
    throw new UserError(`${path} has no ${databaseName}: it is no backup`, noInput);
  }
  return { databasePath, blobs: new BlobFolder(join(path, blobsName)), manifest, folder: path };
}

/**
 * Copies the database of a source, with its log where a copy made by hand has one.
 *
 * @throws UserError when the database is damaged, or is not PandaFuzz's; the caller removes the copy
 */
export async function copyDatabase(source: Source, to: string): Promise<DatabaseFile> {
  await copySynced(source.databasePath, to);
  const log = `${source.databasePath}-wal`;
  const hasLog = !source.manifest && (await stat(log).catch(() => undefined)) !== undefined;
  if (hasLog) await copySynced(log, `${to}-wal`);
  return openChecked(source, to);
}

/** @throws UserError for a database that is damaged, or not of PandaFuzz */
export async function openChecked(source: Source, path: string): Promise<DatabaseFile> {
  const { manifest, databasePath } = source;
  if (manifest && (await fingerprint(path)).sha256 !== manifest.database.sha256) {
    throw new UserError(
      `${databasePath} is damaged: it is not what its manifest says; use another backup`,
      dataError,
    );
  }
  const database = DatabaseFile.open(path);
  const faults = database.faults();
  if (faults.length === 0) return database;
  database.close();
  throw new UserError(
    [`${databasePath} is damaged; use another backup:`, ...faults].join('\n'),
    dataError,
  );
}
