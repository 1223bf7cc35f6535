import { rm } from 'node:fs/promises';
import { codeOf } from '../core/errors.js';
import type { BlobFileName, BlobFolder, LostBlob } from '../store/blobs.js';
import type { DatabaseFile } from '../store/sqlite/database-file.js';
import { copySynced, linkOrCopy } from './files.js';

/** Takes one file of blobs to a path. @returns false when the source has no such file */
export type TakeFile = (name: BlobFileName, to: string) => Promise<boolean>;

/** Rows read at once. */
const sliceSize = 512;
/** Files under way at once: a disk or a line has something to do meanwhile. */
const filesAtOnce = 8;
/** Lost blobs that are named; others are counted. */
const mostNamed = 100_000;

/** What was found, and was not. */
export class Tally {
  blobs = 0;
  bytes = 0;
  lostCount = 0;
  readonly lost: LostBlob[] = [];

  add(found: readonly LostBlob[]): void {
    this.lostCount += found.length;
    this.lost.push(...found.slice(0, mostNamed - this.lost.length));
  }
}

export interface TakingBlobs {
  readonly database: DatabaseFile;
  readonly to: BlobFolder;
  readonly take: TakeFile;
  readonly signal: AbortSignal;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Fills a folder with the blobs that the records of a database refer to, and compares each
 * one there with its name. A file that is damaged is not kept: a master would trust it.
 */
export async function takeBlobs(taking: TakingBlobs): Promise<Tally> {
  const { to, signal } = taking;
  const packs = new Set<number>();
  const tally = await throughBlobs(taking, async (places) => {
    const wanted: BlobFileName[] = [];
    for (const { sha256, pack_id } of places) {
      if (pack_id === null) wanted.push({ sha256 });
      else if (!packs.has(pack_id)) wanted.push({ packId: packs.add(pack_id) && pack_id });
    }
    await eachAtOnce(wanted, async (name) => {
      signal.throwIfAborted();
      await taking.take(name, await to.pathToAdd(name));
    });
    const lost = await to.check(places);
    for (const { place, why } of lost) {
      if (why === 'damaged' && place.pack_id === null) await rm(to.pathOf(place), { force: true });
    }
    return lost;
  });
  await to.sync();
  return tally;
}

/** Compares the blobs of a folder with their names. */
export function checkBlobs(
  checking: Pick<TakingBlobs, 'database' | 'signal' | 'onProgress'>,
  folder: BlobFolder,
): Promise<Tally> {
  return throughBlobs(checking, (places) => folder.check(places));
}

async function throughBlobs(
  { database, signal, onProgress }: Pick<TakingBlobs, 'database' | 'signal' | 'onProgress'>,
  look: (places: Parameters<BlobFolder['check']>[0]) => Promise<LostBlob[]>,
): Promise<Tally> {
  const { bytes: totalBytes } = database.blobTotals;
  const tally = new Tally();
  for (const places of database.blobs(sliceSize)) {
    signal.throwIfAborted();
    tally.add(await look(places));
    tally.blobs += places.length;
    tally.bytes += places.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
    onProgress(tally.bytes, totalBytes);
  }
  return tally;
}

/** Files of a folder on this machine: those that never change get a second name where possible. */
export function fromFolder(folder: BlobFolder): TakeFile {
  return async (name, to) => {
    // A master may still write to the newest one; it begins newer ones in the meantime.
    const isGrowing = 'packId' in name && name.packId >= (await folder.newestPack());
    try {
      await (isGrowing ? copySynced : linkOrCopy)(folder.pathOf(name), to);
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
  };
}

/** Nothing is under way any more when it has failed: its caller removes the folder then. */
async function eachAtOnce<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const rest = all.values();
  let hasFailed = false;
  const lane = async () => {
    for (const one of rest) {
      if (hasFailed) return;
      await work(one).catch((error) => {
        hasFailed = true;
        throw error;
      });
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: filesAtOnce }, lane));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
