import { rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { backgroundRunner, type RequestContext } from '../core/context.js';
import { codeOf, DataLossError, messageOf, UserError } from '../core/errors.js';
import { newId } from '../core/ids.js';
import type { Logger } from '../core/log.js';
import { describeTrouble } from '../core/system-trouble.js';
import { BlobBatch } from './blobs/batch.js';
import type { BlobFileName, Depot } from './blobs/depot.js';
import { FolderDepot } from './blobs/folder-depot.js';
import { Holds } from './blobs/holds.js';
import { claimBucket, expectFolder } from './blobs/place.js';
import { isInPack, readEntries } from './blobs/reading.js';
import type { RunOperation } from './blobs/run-operation.js';
import type { S3Options } from './blobs/s3/options.js';
import type { Expected } from './blobs/single-files.js';
import { BlobSweep, type SweepTerms, type Swept } from './blobs/sweep.js';
import { SweepPause } from './blobs/sweep-pause.js';
import { TemporaryFiles } from './blobs/temporary-files.js';
import type { Operation } from './operation.js';
import { type BlobPlace, findBlobs } from './ops/blobs/find-blobs.js';
import { loseBlob } from './ops/blobs/lose-blob.js';
import { lastPack } from './ops/blobs/packs.js';

export type { BlobBatch } from './blobs/batch.js';
export { BlobFolder, type LostBlob } from './blobs/blob-folder.js';
export { type Copied, copyBlobs } from './blobs/copy.js';
export type { BlobFileName } from './blobs/depot.js';
export type { S3Options } from './blobs/s3/options.js';
export type { Swept } from './blobs/sweep.js';

/** A pack that is longer gets no more entries: compacting one moves half of that at most. */
const largestPackBytes = 64 * 2 ** 20;
/** One operation of the sweep, or before the store is open, milliseconds. */
const operationTimeoutMs = 30_000;

/** Where blobs are; `unused`: this process needs none, and leaves them alone. */
export type BlobPlaceOption = 'folder' | 'unused' | S3Options;

export interface BlobOptions {
  /** Of the blobs, or of files on their way to a bucket. */
  readonly directory: string;
  readonly place: BlobPlaceOption;
  /** Other masters use the same bucket. */
  readonly isShared: boolean;
  readonly log: Logger;
  /** Usually 64 MiB. */
  readonly largestPackBytes?: number | undefined;
  readonly run: <Input, Output>(
    ctx: RequestContext,
    operation: Operation<Input, Output>,
    input: Input,
  ) => Promise<Output>;
  /** Called with the number of blobs whose bytes were found missing or damaged. */
  readonly onLost: (blobs: number) => void;
  /** Called when a request to a bucket has failed, whether another try follows or not. */
  readonly onFailedRequest: (operation: string) => void;
}

/** What people are told of the place. */
export interface BlobsAbout {
  readonly kind: 'folder' | 's3';
  readonly location: string;
  /** Tries of requests that failed since the start. */
  readonly failedRequests: number;
}

/**
 * Targets, seeds, corpora and crash inputs, by their SHA-256. Small ones lie in packs, many
 * together; a large one lies by itself. The table `blobs` says where each is, and counts the
 * rows that refer to it. The bytes are in a depot: a folder, or a bucket of S3.
 */
export class BlobStore {
  readonly #temporary: TemporaryFiles;
  readonly #holds = new Holds();
  readonly #pause = new SweepPause();
  readonly #run: RunOperation;
  #opened: { readonly depot: Depot; readonly sweep: BlobSweep } | undefined;
  #failedRequests = 0;

  constructor(private readonly options: BlobOptions) {
    const { directory, log } = options;
    const inBackground = backgroundRunner({ timeoutMs: operationTimeoutMs, log });
    this.#run = (operation, input) =>
      inBackground(operation.name, (ctx) => options.run(ctx, operation, input));
    this.#temporary = new TemporaryFiles(directory);
  }

  /**
   * Removes what uploads of an earlier process left, and sees that the depot can be used and
   * belongs to this database.
   *
   * @throws UserError
   */
  async open(): Promise<void> {
    const { place } = this.options;
    if (place === 'unused') return;
    try {
      await this.#temporary.open();
      const depot = place === 'folder' ? await this.#openFolder() : await this.#openBucket(place);
      const { singles, packs, appender, upkeep } = depot;
      const parts = { singles, packs, appender, upkeep, holds: this.#holds };
      const sweep = new BlobSweep({ ...parts, run: this.#run });
      this.#opened = { depot, sweep };
      await sweep.findStrays();
    } catch (error) {
      if (error instanceof UserError) throw error;
      const setting = place === 'folder' ? 'data.directory' : 'blobs.url';
      throw new UserError(`${setting}: ${describeTrouble(error) ?? messageOf(error)}`);
    }
  }

  async #openFolder(): Promise<Depot> {
    const { directory, log } = this.options;
    await expectFolder(this.#run);
    const packBytes = this.options.largestPackBytes ?? largestPackBytes;
    const temporary = this.#temporary;
    const depot = new FolderDepot({ directory, temporary, largestPackBytes: packBytes, log });
    await depot.open(await this.#run(lastPack, null));
    return depot;
  }

  /** Its library is loaded where it is used. */
  async #openBucket(s3: S3Options): Promise<Depot> {
    const { S3Depot } = await import('./blobs/s3/s3-depot.js');
    const { log, onFailedRequest } = this.options;
    const failed = (operation: string) => {
      this.#failedRequests += 1;
      onFailedRequest(operation);
    };
    const depot = new S3Depot({ s3, temporary: this.#temporary, log, counts: { failed } });
    try {
      await depot.reach(this.options.isShared);
      await claimBucket(this.#run, depot, newId);
      await depot.open(await this.#run(lastPack, null));
      return depot;
    } catch (error) {
      await depot.close();
      throw error;
    }
  }

  /** Resolves when what is being written is durable. */
  async close(): Promise<void> {
    await this.#opened?.depot.close();
  }

  get about(): BlobsAbout {
    const { kind, location } = this.#depot;
    return { kind, location, failedRequests: this.#failedRequests };
  }

  get #depot(): Depot {
    return this.#open.depot;
  }

  get #open() {
    if (!this.#opened) throw new Error('the blobs are not open');
    return this.#opened;
  }

  /** A path without a file, in a folder that the next start clears. */
  temporaryPath(): string {
    return this.#temporary.path();
  }

  /** For blobs that become durable together; the caller ends it. */
  batch(): BlobBatch {
    const find = (ctx: RequestContext, names: readonly string[]) =>
      this.options.run(ctx, findBlobs, names);
    const lose = (place: BlobPlace) => this.#run(loseBlob, place);
    const { singles, packs, appender } = this.#depot;
    return new BlobBatch({
      ...{ singles, packs, appender },
      holds: this.#holds,
      find,
      lose,
    });
  }

  /**
   * Keeps all blobs, whatever refers to them, until `release`.
   *
   * @returns mark: a file of the folder, for as long; empty where it could not be made, and
   *   where the blobs are in no folder
   */
  async holdAll(): Promise<{ mark: string; release: () => Promise<void> }> {
    const letGo = await this.#pause.hold();
    const path = resolve(this.temporaryPath());
    const mark = this.#depot.kind === 'folder' && (await isWritten(path)) ? path : '';
    const release = async () => {
      letGo();
      await rm(path, { force: true }).catch(() => {});
    };
    return { mark, release };
  }

  /**
   * One file of the folder, or object of the bucket, as it is, from `offset` on.
   *
   * @returns undefined when there is no such file
   */
  openFile(
    ctx: RequestContext,
    name: BlobFileName,
    wanted: { offset: number; chunkBytes: number },
  ): Promise<{ sizeBytes: number; chunks: AsyncIterable<Buffer> } | undefined> {
    return this.#depot.openFile(ctx, name, wanted);
  }

  /**
   * Keeps the bytes of `chunks` by themselves, then calls `record`, which stores the
   * row that refers to it; no sweep takes the blob meanwhile. The bytes must be `sizeBytes`
   * long and hash to `sha256`; those of a blob that is there already are not read. The blob
   * is durable when `record` is called.
   *
   * @throws DataLossError when the bytes, or their number, are not the announced ones;
   *   DiskFullError; as `record`
   */
  async keep<T>(
    ctx: RequestContext,
    expected: Expected,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    record: () => Promise<T>,
  ): Promise<T> {
    const held = [expected.sha256];
    await this.#holds.hold(held);
    try {
      await this.#depot.singles.keep(ctx, expected, chunks);
      return await record();
    } finally {
      this.#holds.release(held);
    }
  }

  /** Whether a blob lies by itself, and is durable. */
  has(ctx: RequestContext, sha256: string): Promise<boolean> {
    return this.#depot.singles.confirm(ctx, sha256).then((sizeBytes) => sizeBytes !== undefined);
  }

  /**
   * Takes over a file of the same disk, whose bytes are checked and synced, as the blob of its
   * own; as `keep` otherwise.
   */
  async adopt<T>(
    ctx: RequestContext,
    { sha256, path }: { sha256: string; path: string },
    record: () => Promise<T>,
  ): Promise<T> {
    await this.#holds.hold([sha256]);
    try {
      await this.#depot.singles.adopt(ctx, path, sha256);
      return await record();
    } finally {
      this.#holds.release([sha256]);
    }
  }

  /**
   * The bytes from `offset` on, in chunks of at most `chunkBytes`.
   *
   * @throws DataLossError when they are lost
   */
  async *read(
    ctx: RequestContext,
    sha256: string,
    { offset, chunkBytes }: { offset: number; chunkBytes: number },
  ): AsyncGenerator<Buffer> {
    const [place] = await this.options.run(ctx, findBlobs, [sha256]);
    if (!place || !isInPack(place)) {
      yield* this.#readSingle(ctx, sha256, { offset, chunkBytes });
      return;
    }
    const [whole] = await this.readAll([place]);
    if (!whole) throw lost();
    for (let at = offset; at < whole.length; at += chunkBytes) {
      yield whole.subarray(at, at + chunkBytes);
    }
  }

  /**
   * Whole blobs, for small ones: those of a pack that follow each other are read at once.
   *
   * @returns in the order of `places`; undefined for one whose bytes are lost, so that the
   *   next upload of it is kept again
   */
  async readAll(places: readonly BlobPlace[]): Promise<(Buffer | undefined)[]> {
    const packed = places.filter(isInPack);
    const fromPacks = await readEntries(this.#depot.packs, packed);
    const blobs: (Buffer | undefined)[] = [];
    let next = 0;
    for (const place of places) {
      const blob = isInPack(place)
        ? (fromPacks[next++] ?? (await this.#readAgain(place)))
        : await this.#depot.singles.readWhole(place.sha256);
      if (!blob) this.#noteLoss(place);
      blobs.push(blob);
    }
    return blobs;
  }

  /**
   * Removes a bounded part of what nothing refers to, and nothing while all is held. One round
   * at a time.
   */
  async sweep(terms: SweepTerms): Promise<Swept> {
    const { depot, sweep } = this.#open;
    const swept = await this.#pause.run(terms.signal, async (signal) => {
      await depot.tidy(signal);
      return sweep.round({ ...terms, signal });
    });
    if (!swept) return { blobs: 0, bytes: 0, damagedPacks: [] };
    for (const pack of swept.damagedPacks) this.options.log.error({ pack }, 'pack damaged');
    return swept;
  }

  async *#readSingle(
    ctx: RequestContext,
    sha256: string,
    wanted: { offset: number; chunkBytes: number },
  ): AsyncGenerator<Buffer> {
    try {
      yield* this.#depot.singles.read(ctx, sha256, wanted);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      this.#noteLoss({ sha256 });
      throw lost();
    }
  }

  /** Once more, from where it is now: a compaction may have moved it since. */
  async #readAgain({ sha256 }: BlobPlace): Promise<Buffer | undefined> {
    const [place] = await this.#run(findBlobs, [sha256]);
    if (!place) return undefined;
    if (!isInPack(place)) return this.#depot.singles.readWhole(sha256);
    const [blob] = await readEntries(this.#depot.packs, [place]);
    if (!blob) await this.#run(loseBlob, place);
    return blob;
  }

  #noteLoss({ sha256 }: Pick<BlobPlace, 'sha256'>): void {
    this.options.log.error({ sha256 }, 'blob lost');
    this.options.onLost(1);
  }
}

const isWritten = (path: string): Promise<boolean> =>
  writeFile(path, '').then(
    () => true,
    () => false,
  );

const lost = () =>
  new DataLossError({
    why: 'this file is missing or damaged where the master keeps it: send it again, or restore a backup',
  });
