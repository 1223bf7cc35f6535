import { systemClock } from '../../../core/clock.js';
import type { RequestContext } from '../../../core/context.js';
import { UserError } from '../../../core/errors.js';
import { newId } from '../../../core/ids.js';
import type { Logger } from '../../../core/log.js';
import type { PackRow } from '../../ops/blobs/packs.js';
import type { BlobFileName, Depot } from '../depot.js';
import type { Mark, Marked } from '../place.js';
import type { TemporaryFiles } from '../temporary-files.js';
import { download } from './download.js';
import { inWords } from './faults.js';
import { probe, readMark, writeMark } from './mark.js';
import { Objects } from './objects.js';
import { bucketOf, type S3Options } from './options.js';
import { PackObjects, packKey } from './pack-objects.js';
import { PackUploads } from './pack-uploads.js';
import { type RequestCounts, Requests } from './requests.js';
import { keyOf, SingleObjects } from './single-objects.js';

export interface S3DepotOptions {
  readonly s3: S3Options;
  readonly temporary: TemporaryFiles;
  readonly log: Logger;
  readonly counts: RequestCounts;
}

/** A pack that has fewer bytes is joined with others: each read of it is a request. */
const smallPackBytes = 2 ** 20;
/** Rounds of the sweep between two looks for uploads that broke off. */
const tidyEvery = 60;

/** Below timeouts.shutdown. */
const closeWithinMs = 2000;

/** Blobs as objects of a bucket, with the names that they have in a folder. */
export class S3Depot implements Depot, Marked {
  readonly kind = 's3';
  readonly location: string;
  readonly singles: SingleObjects;
  readonly packs: PackObjects;
  readonly appender: PackUploads;
  readonly upkeep = { compacted: 8, removed: 200, smallBytes: smallPackBytes };
  readonly #objects: Objects;
  #rounds = 0;

  constructor(private readonly options: S3DepotOptions) {
    const { s3, temporary, log, counts } = options;
    const { bucket, prefix } = bucketOf(s3.url);
    this.location = `s3://${bucket}/${prefix}`.replace(/\/$/, '');
    const { timeoutMs, maxRetries } = s3;
    const requests = new Requests({ timeoutMs, maxRetries, log, counts });
    this.#objects = new Objects(s3, requests);
    this.singles = new SingleObjects({ objects: this.#objects, temporary, log });
    this.packs = new PackObjects(this.#objects);
    this.appender = new PackUploads(this.#objects, this.packs);
  }

  /** Sees that the bucket can be used. @throws UserError */
  async reach(isShared: boolean): Promise<void> {
    await this.#inWords(() => probe(this.#objects, newId()));
    if (this.#objects.knowsConditions) return;
    if (isShared) {
      throw new UserError(
        'blobs.url: this server has no conditional writes (If-None-Match), which several masters need',
      );
    }
    this.options.log.warn('blob store without conditional writes: for one master alone');
  }

  open(lastPack: PackRow | undefined): Promise<void> {
    return this.#inWords(() => this.appender.open(lastPack));
  }

  readMark(): Promise<Mark | undefined> {
    return this.#inWords(() => readMark(this.#objects, this.location));
  }

  writeMark(mark: Mark): Promise<void> {
    return this.#inWords(() => writeMark(this.#objects, this.location, mark));
  }

  async openFile(
    { signal }: RequestContext,
    name: BlobFileName,
    { offset }: { offset: number },
  ): Promise<{ sizeBytes: number; chunks: AsyncIterable<Buffer> } | undefined> {
    const key = 'packId' in name ? packKey(name.packId) : keyOf(name.sha256);
    const found = await this.#objects.look(key, signal);
    if (!found) return undefined;
    const { sizeBytes } = found;
    const part = { offset, lengthBytes: Math.max(0, sizeBytes - offset), signal };
    return { sizeBytes, chunks: download(this.#objects, key, part) };
  }

  addPack(ctx: RequestContext, id: number, path: string): Promise<void> {
    return this.singles.sendFile(ctx, packKey(id), path);
  }

  async tidy(signal: AbortSignal): Promise<void> {
    if (this.#rounds++ % tidyEvery === 0) await this.singles.tidy(() => signal.aborted);
  }

  /** Ends what takes longer than a moment: its callers have not been answered. */
  async close(): Promise<void> {
    const { requests } = this.#objects;
    const timer = systemClock.schedule(closeWithinMs, () => requests.stop());
    await this.appender.close();
    timer.cancel();
    requests.stop();
    this.#objects.close();
  }

  async #inWords<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof UserError) throw error;
      const { bucket } = bucketOf(this.options.s3.url);
      throw inWords(this.#objects.requests.lastFailure ?? error, {
        bucket,
        endpoint: this.options.s3.endpoint,
      });
    }
  }
}
