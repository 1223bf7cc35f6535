import { createHash, hash } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { systemClock } from '../../../core/clock.js';
import type { RequestContext } from '../../../core/context.js';
import { DataLossError } from '../../../core/errors.js';
import { isSha256 } from '../../../core/ids.js';
import type { Logger } from '../../../core/log.js';
import type { Singles, SizedBlob } from '../depot.js';
import { mapAtOnce } from '../map-at-once.js';
import {
  diskFullOr,
  type Expected,
  folderNames,
  otherLength,
  writeChecked,
} from '../single-files.js';
import type { TemporaryFiles } from '../temporary-files.js';
import { download, downloadWhole } from './download.js';
import { isThere } from './faults.js';
import { MultipartUploads, partBytes } from './multipart.js';
import type { Objects } from './objects.js';
import { UploadSlots } from './upload-slots.js';

/** Parts in memory at once, over all uploads: 64 MiB. */
const partsAtOnce = 8;
const removedAtOnce = 16;
/** Reads of a whole blob whose bytes are not its name's, before it counts as damaged. */
const triesOfDamaged = 3;
/** Damaged blobs that are remembered, so that the next upload of each replaces it. */
const mostDistrusted = 10_000;

export interface SingleObjectsOptions {
  readonly objects: Objects;
  readonly temporary: TemporaryFiles;
  readonly log: Logger;
}

/**
 * Blobs that are objects of their own, with the folder's names: "ab/abcd…". An upload is
 * checked in a file of the data folder, then sent; it is acknowledged when the server has
 * said that it has all of it.
 */
export class SingleObjects implements Singles {
  readonly #objects: Objects;
  readonly #slots = new UploadSlots(partsAtOnce);
  readonly #multipart: MultipartUploads;
  readonly #distrusted = new Set<string>();

  constructor(private readonly options: SingleObjectsOptions) {
    this.#objects = options.objects;
    this.#multipart = new MultipartUploads(options.objects, this.#slots);
  }

  async keep(
    ctx: RequestContext,
    expected: Expected,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    const sizeBytes = await this.confirm(ctx, expected.sha256);
    if (sizeBytes === expected.sizeBytes) return;
    if (sizeBytes !== undefined) throw otherLength(expected.sizeBytes, sizeBytes);
    const path = this.options.temporary.path();
    try {
      await writeChecked(ctx, path, expected, chunks);
      await this.#send(ctx, path, expected);
    } catch (error) {
      throw diskFullOr(error);
    } finally {
      await rm(path, { force: true });
    }
  }

  async adopt(ctx: RequestContext, path: string, sha256: string): Promise<void> {
    const { size: sizeBytes } = await stat(path);
    if ((await this.confirm(ctx, sha256)) !== sizeBytes) {
      await this.#send(ctx, path, { sha256, sizeBytes });
    }
    await rm(path, { force: true });
  }

  async confirm(ctx: RequestContext, sha256: string): Promise<number | undefined> {
    if (this.#distrusted.has(sha256)) return undefined;
    return (await this.#objects.look(keyOf(sha256), ctx.signal))?.sizeBytes;
  }

  /** Where all of it is read, the last chunk comes only if the bytes are the name's. */
  async *read(
    ctx: RequestContext,
    sha256: string,
    { offset, chunkBytes }: { offset: number; chunkBytes: number },
  ): AsyncGenerator<Buffer> {
    const sum = offset === 0 ? createHash('sha256') : undefined;
    let held: Buffer | undefined;
    const part = { offset, signal: ctx.signal };
    for await (const chunk of download(this.#objects, keyOf(sha256), part)) {
      sum?.update(chunk);
      if (held) yield* slices(held, chunkBytes);
      held = chunk;
    }
    if (sum && sum.digest('hex') !== sha256) throw this.#wrongBytes(sha256);
    if (held) yield* slices(held, chunkBytes);
  }

  async readWhole(sha256: string): Promise<Buffer | undefined> {
    for (let tries = 0; tries < triesOfDamaged; tries++) {
      const bytes = await downloadWhole(this.#objects, keyOf(sha256));
      if (!bytes || hash('sha256', bytes, 'hex') === sha256) return bytes;
    }
    this.#wrongBytes(sha256);
    return undefined;
  }

  async remove(blobs: readonly SizedBlob[]): Promise<number> {
    await mapAtOnce(blobs, removedAtOnce, ({ sha256 }) => this.#objects.remove(keyOf(sha256)));
    return blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  async *listOld(folder: number, ageMs: number, limit: number): AsyncGenerator<SizedBlob[]> {
    const begin = `${folderNames[folder]}/`;
    const before = systemClock.now() - ageMs;
    let old: SizedBlob[] = [];
    for (let after = ''; ; ) {
      const { found, isLast } = await this.#objects.list(begin, after);
      for (const { key, sizeBytes, changedAt } of found) {
        const sha256 = key.slice(begin.length);
        if (!isSha256(sha256) || changedAt >= before) continue;
        if (old.push({ sha256, sizeBytes }) < limit) continue;
        yield old;
        old = [];
      }
      const last = found.at(-1);
      if (isLast || !last) break;
      after = last.key;
    }
    if (old.length > 0) yield old;
  }

  /** Stores a file as an object, whatever is there. */
  async sendFile(ctx: RequestContext, key: string, path: string): Promise<void> {
    const { size: sizeBytes } = await stat(path);
    if (sizeBytes > partBytes) return this.#multipart.send(ctx, key, { path, sizeBytes });
    await this.#slots.during(ctx.signal, async () => {
      const bytes = await readFile(path);
      await this.#objects.put(key, { bytes, ifNew: false, signal: ctx.signal });
    });
  }

  /** Ends uploads in parts that broke off long ago. */
  tidy(isStopped: () => boolean): Promise<void> {
    return this.#multipart.tidy(isStopped);
  }

  async #send(ctx: RequestContext, path: string, { sha256, sizeBytes }: Expected): Promise<void> {
    if (sizeBytes > partBytes) {
      await this.#multipart.send(ctx, keyOf(sha256), { path, sizeBytes });
    } else {
      await this.#slots.during(ctx.signal, () => this.#sendWhole(ctx, path, sha256));
    }
    this.#distrusted.delete(sha256);
  }

  async #sendWhole(ctx: RequestContext, path: string, sha256: string): Promise<void> {
    const key = keyOf(sha256);
    const whole = { bytes: await readFile(path), sha256, signal: ctx.signal };
    const ifNew = !this.#distrusted.has(sha256);
    try {
      await this.#objects.put(key, { ...whole, ifNew });
    } catch (error) {
      if (!isThere(error)) throw error;
      // An earlier try of ours arrived, or another upload of the same bytes.
      const found = await this.#objects.look(key, ctx.signal);
      if (found?.sizeBytes !== whole.bytes.length) {
        await this.#objects.put(key, { ...whole, ifNew: false });
      }
    }
  }

  #wrongBytes(sha256: string): DataLossError {
    this.options.log.error({ sha256 }, 'blob damaged');
    if (this.#distrusted.size < mostDistrusted) this.#distrusted.add(sha256);
    return new DataLossError({
      why: 'the bytes that the blob store has returned do not have their SHA-256: try again, then send this file again',
    });
  }
}

export const keyOf = (sha256: string): string => `${sha256.slice(0, 2)}/${sha256}`;

function* slices(chunk: Buffer, chunkBytes: number): Generator<Buffer> {
  for (let at = 0; at < chunk.length; at += chunkBytes) yield chunk.subarray(at, at + chunkBytes);
}
