import { mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { systemClock } from '../core/clock.js';
import { codeOf, UserError } from '../core/errors.js';
import { makeFolder } from '../core/folders.js';
import { takeOwnership } from '../store/sqlite/ownership.js';
import { sync } from './files.js';
import { databaseName } from './manifest.js';

const asidePrefix = 'before-restore-';
/** In the root of a file system: its own folder, and what earlier restores have moved aside. */
const isPassedOver = (name: string) => name === 'lost+found' || name.startsWith(asidePrefix);

/** The data folder that a backup is put into. */
export interface Target {
  readonly path: string;
  /** What is there already. */
  readonly entries: readonly string[];
  /** An empty folder on the same file system; what is in it becomes the data folder. */
  readonly staging: string;
  /** Moves what is there aside, and what is in `staging` into place. @returns where the old is */
  put(): Promise<string | undefined>;
  /** Removes `staging`, and gives the folder up. */
  end(): Promise<void>;
}

/**
 * @param mayReplace what is there may be moved aside
 * @throws UserError when a master has the folder, or it is not empty and may not be replaced
 */
export async function targetAt(directory: string, mayReplace: boolean): Promise<Target> {
  const path = resolve(directory);
  // The root of a file system cannot be renamed.
  const isRoot = await isMountPoint(path);
  const entries = (await entriesOf(path)).filter((name) => !isRoot || !isPassedOver(name));
  const hasDatabase = entries.includes(databaseName);
  const giveUp = hasDatabase
    ? takeOwnership(join(path, databaseName), systemClock.now())
    : () => {};
  try {
    if (entries.length > 0 && !mayReplace) {
      throw new UserError(
        `${directory} is not empty: give --force, which moves what is there aside, or another folder with --to`,
      );
    }
    if (!isRoot) await makeFolder(dirname(path));
    const staging = isRoot ? join(path, 'restoring') : `${path}.restoring`;
    await makeStaging(staging);
    const stamp = new Date().toISOString().replace(/[:.]/g, '-');
    const move = { path, staging, entries, aside: `${asidePrefix}${stamp}` };
    return {
      path,
      entries,
      staging,
      put: () => (isRoot ? putWithin(move) : putBeside(move)),
      async end() {
        await rm(staging, { recursive: true, force: true });
        giveUp();
      },
    };
  } catch (error) {
    giveUp();
    throw error;
  }
}

async function entriesOf(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    if (codeOf(error) === 'ENOTDIR') throw new UserError(`${path} is a file: name a folder`);
    throw error;
  }
}

async function isMountPoint(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && found.dev !== (await stat(dirname(path))).dev;
}

async function makeStaging(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    throw new UserError(
      `${path} is left of a restore that did not finish, or one is running: delete it when none is`,
    );
  }
}

interface Move {
  readonly path: string;
  readonly staging: string;
  readonly entries: readonly string[];
  readonly aside: string;
}

async function putBeside({ path, staging, entries, aside }: Move): Promise<string | undefined> {
  const kept = entries.length > 0 ? `${path}.${aside}` : undefined;
  if (kept) await moveAside(path, kept);
  else await rmdir(path).catch(() => {});
  try {
    await rename(staging, path);
  } catch (error) {
    if (kept) await rename(kept, path);
    throw error;
  }
  await sync(dirname(path));
  return kept;
}

async function moveAside(path: string, kept: string): Promise<void> {
  try {
    await rename(path, kept);
  } catch (error) {
    if (codeOf(error) !== 'EBUSY') throw error;
    throw new UserError(
      `${path} is a mount point and cannot be moved: name another folder by --to`,
    );
  }
}

/** The database moves last, so that it is never there without its blobs. */
async function putWithin({ path, staging, entries, aside }: Move): Promise<string | undefined> {
  const kept = entries.length > 0 ? join(path, aside) : undefined;
  if (kept) {
    await mkdir(kept);
    for (const name of entries) await rename(join(path, name), join(kept, name));
  }
  const staged = (await readdir(staging)).sort(
    (a, b) => Number(a === databaseName) - Number(b === databaseName),
  );
  for (const name of staged) await rename(join(staging, name), join(path, name));
  await sync(path);
  return kept;
}
