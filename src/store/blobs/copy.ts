import { hash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { backgroundRunner, type RequestContext } from '../../core/context.js';
import { codeOf, DataLossError, UserError } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import type { Logger } from '../../core/log.js';
import type { Signal } from '../../core/signal.js';
import { readBlobPlace, setBlobPlace } from '../ops/blobs/blob-place.js';
import type { BlobPlace } from '../ops/blobs/find-blobs.js';
import { listBlobs } from '../ops/blobs/list-blobs.js';
import type { Depot } from './depot.js';
import { FolderDepot } from './folder-depot.js';
import { mapAtOnce } from './map-at-once.js';
import { type Marked, takeBucket } from './place.js';
import { entriesOf } from './reading.js';
import type { RunOperation } from './run-operation.js';
import type { S3Options } from './s3/options.js';
import { writeWhole } from './single-files.js';
import { TemporaryFiles } from './temporary-files.js';

export interface CopyOptions {
  /** The folder of the blobs, and of files on their way. */
  readonly directory: string;
  /** How S3 is reached, and the bucket to copy into. */
  readonly s3: S3Options;
  readonly to: 'folder' | 's3';
  /** The database of a master that is stopped. */
  readonly run: RunOperation;
  readonly log: Logger;
  readonly signal: Signal;
  readonly onProgress: (copied: Copied) => void;
}

export interface Copied {
  readonly from: string;
  readonly to: string;
  blobs: number;
  bytes: number;
  /** Blobs whose bytes were missing or damaged; a hundred of them. */
  readonly lost: string[];
  lostCount: number;
}

const sliceSize = 256;
const copiedAtOnce = 8;
const mostNamed = 100;
const chunkBytes = 256 * 1024;
/** Longest time of one file. */
const fileTimeoutMs = 24 * 3_600_000;

/**
 * Copies every blob that a database knows to another place, each compared with its SHA-256,
 * then notes in the database that they are there. Nothing is deleted. Stopped half way, it
 * goes on another time: what is there already is passed over.
 *
 * @throws UserError
 */
export async function copyBlobs(options: CopyOptions): Promise<Copied> {
  const { run, to } = options;
  const { bucket } = await run(readBlobPlace, null);
  if ((bucket === undefined) === (to === 'folder')) {
    throw new UserError(
      bucket
        ? `the blobs of this database are in ${bucket.url} already: "--to folder" copies them back`
        : 'the blobs of this database are in the data folder already',
    );
  }
  const temporary = new TemporaryFiles(options.directory);
  await temporary.open();
  const { directory, log } = options;
  const folder = new FolderDepot({ directory, temporary, largestPackBytes: 0, log });
  const { S3Depot } = await import('./s3/s3-depot.js');
  const counts = { failed: () => {} };
  const s3 = bucket ? { ...options.s3, url: bucket.url } : options.s3;
  const remote = new S3Depot({ s3, temporary, log, counts });
  try {
    await remote.reach(false);
    await folder.prepare();
    await expectMark(remote, bucket?.name);
    const [source, target] = bucket ? [remote, folder] : [folder, remote];
    const copying = new Copying(options, { source, target, temporary });
    const copied = await copying.all();
    if (bucket) await run(setBlobPlace, null);
    else await takeBucket(run, remote, newId());
    return copied;
  } finally {
    await folder.close();
    await remote.close();
  }
}

/** @throws UserError where the bucket is not this database's, or a new one's */
async function expectMark(remote: Marked, name: string | undefined): Promise<void> {
  if ((await remote.readMark())?.name === name) return;
  throw new UserError(`${remote.location} has the blobs of another database`);
}

class Copying {
  readonly #packs = new Set<number>();
  readonly #copied: Copied;

  constructor(
    private readonly options: CopyOptions,
    private readonly places: {
      readonly source: Depot;
      readonly target: Depot;
      readonly temporary: TemporaryFiles;
    },
  ) {
    const { source, target } = places;
    const from = source.location;
    this.#copied = { from, to: target.location, blobs: 0, bytes: 0, lost: [], lostCount: 0 };
  }

  async all(): Promise<Copied> {
    const { run, signal, onProgress, log } = this.options;
    const inBackground = backgroundRunner({ timeoutMs: fileTimeoutMs, log });
    for (let after = ''; ; ) {
      const page = await run(listBlobs, { after, limit: sliceSize });
      await mapAtOnce(page, copiedAtOnce, (place) => {
        signal.throwIfAborted();
        return inBackground('copy_blob', (ctx) => this.#copy(ctx, place));
      });
      onProgress(this.#copied);
      const last = page.at(-1);
      if (!last) return this.#copied;
      after = last.sha256;
    }
  }

  async #copy(ctx: RequestContext, { sha256, size_bytes, pack_id }: BlobPlace): Promise<void> {
    this.#copied.blobs += 1;
    if (pack_id !== null) {
      if (this.#packs.has(pack_id)) return;
      this.#packs.add(pack_id);
      return this.#copyPack(ctx, pack_id, sha256);
    }
    const { source, target } = this.places;
    try {
      // Opened when it is read: what is there already is not.
      const chunks = async function* () {
        yield* source.singles.read(ctx, sha256, { offset: 0, chunkBytes });
      };
      await target.singles.keep(ctx, { sha256, sizeBytes: size_bytes }, chunks());
      this.#copied.bytes += size_bytes;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' && !(error instanceof DataLossError)) throw error;
      this.#lose(sha256);
    }
  }

  /** A pack as it is; each of its entries is compared with its name first. */
  async #copyPack(ctx: RequestContext, id: number, of: string): Promise<void> {
    const { source, target, temporary } = this.places;
    const found = await source.packs.look(id);
    if (!found) return this.#lose(of);
    const { sizeBytes } = found;
    if ((await target.packs.look(id))?.sizeBytes !== sizeBytes) {
      for await (const { found: entries } of entriesOf(source.packs, id, {
        from: 0,
        to: sizeBytes,
      })) {
        for (const { sha256, blob } of entries) {
          if (!blob || hash('sha256', blob, 'hex') !== sha256) this.#lose(sha256);
        }
      }
      const path = temporary.path();
      try {
        await writePack(ctx, source, { id, path });
        await target.addPack(ctx, id, path);
      } finally {
        await rm(path, { force: true });
      }
    }
    this.#copied.bytes += sizeBytes;
  }

  #lose(sha256: string): void {
    this.#copied.lostCount += 1;
    if (this.#copied.lost.length < mostNamed) this.#copied.lost.push(sha256);
  }
}

async function writePack(
  ctx: RequestContext,
  source: Depot,
  { id, path }: { id: number; path: string },
): Promise<void> {
  const pack = await source.openFile(ctx, { packId: id }, { offset: 0, chunkBytes });
  if (!pack) throw new DataLossError({ why: `pack ${id} is gone` });
  const file = await open(path, 'wx');
  try {
    for await (const chunk of pack.chunks) await writeWhole(file, chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}
