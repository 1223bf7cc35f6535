import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Connection } from '../client/connect.js';
import { isUnknownCall } from '../client/failure.js';
import { downloadBackup, fingerprint, holdBlobs } from '../client/transfer.js';
import { codeOf, UserError } from '../core/errors.js';
import { makeFolder } from '../core/folders.js';
import { version } from '../core/version.js';
import { dataError } from '../operator/exit-codes.js';
import { bytes } from '../operator/format.js';
import { print } from '../operator/output.js';
import { withProgress } from '../operator/progress.js';
import { asking, type Flags } from '../operator/session.js';
import { BlobFolder } from '../store/blobs.js';
import { DatabaseFile } from '../store/sqlite/database-file.js';
import { sync } from './files.js';
import { fromMaster } from './from-master.js';
import { complainOfLost, lostAsJson } from './lost.js';
import {
  blobsName,
  databaseName,
  type Manifest,
  markUnfinished,
  writeManifest,
} from './manifest.js';
import { type Tally, takeBlobs } from './take-blobs.js';

/** What a backup has. */
export interface Taken {
  readonly manifest: Manifest;
  readonly tally: Tally;
}

/** `pandafuzz backup FOLDER`. */
export async function backUp(flags: Flags, folder: string): Promise<void> {
  const { manifest, tally } = await asking(flags, (connection, { signal }) =>
    takeBackup(connection, folder, signal),
  );
  const { database, blobs } = manifest;
  const contents = `database ${bytes(database.sizeBytes)}, ${blobs.count} blobs of ${bytes(blobs.sizeBytes)}`;
  print(flags, {
    json: () => ({ path: folder, ...manifest, ...lostAsJson(tally) }),
    text: () => `${folder} (${contents}, checked)`,
  });
  if (tally.lostCount === 0) return;
  const lost = `the master itself has lost ${tally.lostCount} blobs, which are not in this backup`;
  complainOfLost(tally, lost);
  process.exitCode = dataError;
}

/**
 * Copies the database first, then every blob that it names, while the master holds all of
 * them. The folder appears when it is complete and on disk.
 *
 * @throws UserError when there is something in the folder; grpc-js's ServiceError
 */
export async function takeBackup(
  connection: Connection,
  folder: string,
  signal: AbortSignal,
): Promise<Taken> {
  const path = resolve(folder);
  await expectFree(path, folder);
  return inNewFolder(`${path}.unfinished`, path, (unfinished) =>
    fill(connection, unfinished, signal),
  );
}

async function fill(connection: Connection, folder: string, signal: AbortSignal): Promise<Taken> {
  const over = new AbortController();
  const stopped = AbortSignal.any([signal, over.signal]);
  await markUnfinished(folder);
  const hold = new AbortController();
  try {
    const held = await holdBlobs(connection, AbortSignal.any([signal, hold.signal]), (why) =>
      over.abort(why),
    );
    const databasePath = join(folder, databaseName);
    await withProgress('database', (onProgress) =>
      downloadBackup(connection, databasePath, { onProgress, signal: stopped }),
    );
    await sync(databasePath);
    const blobs = new BlobFolder(join(folder, blobsName));
    const take = await fromMaster(connection, held, stopped);
    const database = DatabaseFile.open(databasePath);
    try {
      const { schema, epoch } = database;
      const tally = await withProgress('blobs', (onProgress) =>
        takeBlobs({ database, to: blobs, take, signal: stopped, onProgress }),
      );
      const manifest: Manifest = {
        format: 1,
        isComplete: true,
        madeAt: new Date().toISOString(),
        version,
        database: { ...(await fingerprint(databasePath)), schema, epoch },
        blobs: { count: tally.blobs, sizeBytes: tally.bytes, lost: tally.lostCount },
      };
      await writeManifest(folder, manifest);
      await sync(folder);
      return { manifest, tally };
    } finally {
      database.close();
    }
  } catch (error) {
    const cause = over.signal.aborted ? over.signal.reason : error;
    if (isUnknownCall(cause)) {
      throw new UserError(
        'this master is too old for a backup with blobs: give --database-only, and copy its folder of blobs afterwards',
      );
    }
    throw cause;
  } finally {
    hold.abort();
  }
}

/** @throws UserError unless the folder is missing or empty, and can be put into place by a rename */
async function expectFree(path: string, folder: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return;
  if (!found.isDirectory()) throw new UserError(`${folder} is a file: name a new folder`);
  if ((await readdir(path)).length > 0) {
    throw new UserError(`${folder} is not empty: name a new folder for each backup`);
  }
  if (found.dev !== (await stat(dirname(path))).dev) {
    throw new UserError(`${folder} is a mount point: name a new folder in it`);
  }
}

/** Fills a folder under another name, and renames it when `fill` has ended. */
async function inNewFolder<T>(
  unfinished: string,
  path: string,
  fill: (folder: string) => Promise<T>,
): Promise<T> {
  await makeFolder(dirname(path));
  try {
    await mkdir(unfinished);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    throw new UserError(
      `${unfinished} is a backup that did not finish, or is being made: delete it when none is running`,
    );
  }
  try {
    const result = await fill(unfinished);
    await rename(unfinished, path);
    await sync(dirname(path));
    return result;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}
