import { createReadStream } from 'node:fs';
import { rm, stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { backgroundRunner, type RequestContext } from '../core/context.js';
import { codeOf, DataLossError, messageOf, UserError } from '../core/errors.js';
import type { Logger } from '../core/log.js';
import { describeTrouble } from '../core/system-trouble.js';
import { BlobBatch } from './blobs/batch.js';
import { type BlobFileName, BlobFolder } from './blobs/blob-folder.js';
import { Holds } from './blobs/holds.js';
import { PackFiles } from './blobs/pack-files.js';
import { PackWriter } from './blobs/pack-writer.js';
import { isInPack, readEntries } from './blobs/reading.js';
import type { RunOperation } from './blobs/run-operation.js';
import { type Expected, SingleFiles } from './blobs/single-files.js';
import { BlobSweep, type SweepTerms, type Swept } from './blobs/sweep.js';
import { SweepPause } from './blobs/sweep-pause.js';
import type { Operation } from './operation.js';
import { type BlobPlace, findBlobs } from './ops/blobs/find-blobs.js';
import { loseBlob } from './ops/blobs/lose-blob.js';
import { lastPack } from './ops/blobs/packs.js';

export type { BlobBatch } from './blobs/batch.js';
export { type BlobFileName, BlobFolder, type LostBlob } from './blobs/blob-folder.js';
export type { Swept } from './blobs/sweep.js';

/** A pack that is longer gets no more entries: compacting one moves half of that at most. */
const largestPackBytes = 64 * 2 ** 20;
/** One operation of the sweep, or before the store is open, milliseconds. */
const operationTimeoutMs = 30_000;

export interface BlobOptions {
  readonly directory: string;
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
}

/**
 * Targets, seeds, corpora and crash inputs, by their SHA-256. Small ones lie in packs, which
 * are appended to and synced together; a large one is a file of its own. The table `blobs`
 * says where each is, and counts the rows that refer to it.
 */
export class BlobStore {
  readonly #files: SingleFiles;
  readonly #packFiles: PackFiles;
  readonly #packs: PackWriter;
  readonly #holds = new Holds();
  readonly #sweep: BlobSweep;
  readonly #pause = new SweepPause();
  readonly #run: RunOperation;

  constructor(private readonly options: BlobOptions) {
    const { directory, log } = options;
    const inBackground = backgroundRunner({ timeoutMs: operationTimeoutMs, log });
    this.#run = (operation, input) =>
      inBackground(operation.name, (ctx) => options.run(ctx, operation, input));
    this.#files = new SingleFiles(directory);
    this.#packFiles = new PackFiles(directory);
    this.#packs = new PackWriter(this.#packFiles, options.largestPackBytes ?? largestPackBytes);
    this.#sweep = new BlobSweep({
      files: this.#packFiles,
      packs: this.#packs,
      run: this.#run,
      singles: this.#files,
      holds: this.#holds,
    });
  }

  /**
   * Makes the folders, removes what uploads of an earlier process left, and cuts a torn entry
   * off the newest pack.
   *
   * @throws UserError
   */
  async open(): Promise<void> {
    try {
      await this.#files.open();
      await this.#packFiles.open();
      const cutBytes = await this.#packs.open(await this.#run(lastPack, null));
      if (cutBytes > 0) this.options.log.info({ bytes: cutBytes }, 'torn entry cut');
      await this.#sweep.open();
    } catch (error) {
      throw new UserError(`data.directory: ${describeTrouble(error) ?? messageOf(error)}`);
    }
  }

  /** Resolves when what is being written is on disk. */
  close(): Promise<void> {
    return this.#packs.close();
  }

  /** A path without a file, in a folder that the next start clears. */
  temporaryPath(): string {
    return this.#files.temporaryPath();
  }

  /** For blobs that become durable together; the caller ends it. */
  batch(): BlobBatch {
    const find = (ctx: RequestContext, names: readonly string[]) =>
      this.options.run(ctx, findBlobs, names);
    const lose = (place: BlobPlace) => this.#run(loseBlob, place);
    return new BlobBatch({
      files: this.#files,
      packs: this.#packs,
      packFiles: this.#packFiles,
      holds: this.#holds,
      find,
      lose,
    });
  }

  /** The folder, absolute. */
  get directory(): string {
    return resolve(this.options.directory);
  }

  /**
   * Keeps all blobs on disk, whatever refers to them, until `release`.
   *
   * @returns mark: a file of the folder, for as long; empty where it could not be made
   */
  async holdAll(): Promise<{ mark: string; release: () => Promise<void> }> {
    const letGo = await this.#pause.hold();
    const path = resolve(this.temporaryPath());
    const mark = await writeFile(path, '').then(
      () => path,
      () => '',
    );
    const release = async () => {
      letGo();
      await rm(path, { force: true }).catch(() => {});
    };
    return { mark, release };
  }

  /**
   * One file of the folder as it is, from `offset` on.
   *
   * @returns undefined when there is no such file
   */
  async openFile(
    name: BlobFileName,
    { offset, chunkBytes }: { offset: number; chunkBytes: number },
  ): Promise<{ sizeBytes: number; chunks: AsyncIterable<Buffer> } | undefined> {
    const path = new BlobFolder(this.options.directory).pathOf(name);
    const found = await stat(path).catch(() => undefined);
    if (!found) return undefined;
    const { size: sizeBytes } = found;
    async function* chunks() {
      if (offset >= sizeBytes) return;
      yield* createReadStream(path, {
        start: offset,
        end: sizeBytes - 1,
        highWaterMark: chunkBytes,
      });
    }
    return { sizeBytes, chunks: chunks() };
  }

  /**
   * Keeps the bytes of `chunks` in a file of their own, then calls `record`, which stores the
   * row that refers to it; no sweep takes the blob meanwhile. The bytes must be `sizeBytes`
   * long and hash to `sha256`; those of a file that is there already are not read. The file is
   * on disk, folder entry included, when `record` is called; before that nothing is left of a
   * failure.
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
      await this.#files.keep(ctx, expected, chunks);
      return await record();
    } finally {
      this.#holds.release(held);
    }
  }

  /** Whether a blob is a file of its own, and on disk. */
  has(ctx: RequestContext, sha256: string): Promise<boolean> {
    return this.#files.confirm(ctx, sha256).then((sizeBytes) => sizeBytes !== undefined);
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
      await this.#files.adopt(ctx, path, sha256);
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
      yield* this.#readFile(sha256, offset, chunkBytes);
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
    const fromPacks = await readEntries(this.#packFiles, packed);
    const blobs: (Buffer | undefined)[] = [];
    let next = 0;
    for (const place of places) {
      const blob = isInPack(place)
        ? (fromPacks[next++] ?? (await this.#readAgain(place)))
        : await this.#files.readWhole(place.sha256);
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
    const swept = await this.#pause.run(terms.signal, (signal) =>
      this.#sweep.round({ ...terms, signal }),
    );
    if (!swept) return { blobs: 0, bytes: 0, damagedPacks: [] };
    for (const pack of swept.damagedPacks) this.options.log.error({ pack }, 'pack damaged');
    return swept;
  }

  async *#readFile(sha256: string, offset: number, chunkBytes: number): AsyncGenerator<Buffer> {
    try {
      yield* this.#files.read(sha256, offset, chunkBytes);
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
    if (!isInPack(place)) return this.#files.readWhole(sha256);
    const [blob] = await readEntries(this.#packFiles, [place]);
    if (!blob) await this.#run(loseBlob, place);
    return blob;
  }

  #noteLoss({ sha256 }: Pick<BlobPlace, 'sha256'>): void {
    this.options.log.error({ sha256 }, 'blob lost');
    this.options.onLost(1);
  }
}

const lost = () =>
  new DataLossError({
    why: "this file is missing or damaged on the master's disk: send it again, or restore a backup",
  });
