import { hash } from 'node:crypto';
import { orAbort, type RequestContext } from '../../core/context.js';
import type { BlobPlace } from '../ops/blobs/find-blobs.js';
import { entryBytes, type PlacedBlob } from '../ops/blobs/place-blobs.js';
import type { Appended, Appender, Packs, Singles, SmallBlob } from './depot.js';
import type { Holds } from './holds.js';
import { mapAtOnce } from './map-at-once.js';
import { isInPack, type PackPlace } from './reading.js';
import { diskFullOr, type Expected, otherLength, wrongBytes, wrongLength } from './single-files.js';

/**
 * Largest blob that goes into a pack. Above it, what a file of its own wastes at its end is
 * below a thirtieth, and its syncs are small beside its bytes.
 */
export const largestPackedBytes = 64 * 1024;
/** Blobs and bytes that one batch gathers: with them a sync costs little for each. */
const fullBatch = { blobs: 512, bytes: 2 ** 20 } as const;

/** A small blob as it came: nothing of it is checked before it is known to be new. */
interface Gathered extends Expected {
  readonly parts: readonly Uint8Array[];
  readonly arrivedBytes: number;
}

export interface BatchParts {
  readonly singles: Singles;
  readonly packs: Packs;
  readonly appender: Appender;
  readonly holds: Holds;
  readonly find: (ctx: RequestContext, names: readonly string[]) => Promise<BlobPlace[]>;
  /** Forgets where a blob was that is not there. */
  readonly lose: (place: BlobPlace) => Promise<void>;
}

/**
 * Blobs that become durable together. The owner adds them, settles the batch, stores the
 * rows that refer to them with what `settle` returned, and ends the batch: until then no
 * sweep takes any of them.
 */
export class BlobBatch {
  readonly #gathered: Gathered[] = [];
  readonly #held: string[] = [];
  #appended: Appended | undefined;
  #blobs = 0;
  #bytes = 0;

  constructor(private readonly parts: BatchParts) {}

  get blobs(): number {
    return this.#blobs;
  }

  /** It has so many blobs, or bytes, that it is to be settled. */
  get isFull(): boolean {
    return this.#blobs >= fullBatch.blobs || this.#bytes >= fullBatch.bytes;
  }

  /**
   * Adds a blob of `chunks`. The bytes of one that is there already are not needed.
   *
   * @throws DataLossError, DiskFullError, for a large blob; of a small one `settle` does
   */
  async add(
    ctx: RequestContext,
    expected: Expected,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    const { sha256, sizeBytes } = expected;
    this.#blobs += 1;
    if (sizeBytes <= largestPackedBytes) {
      this.#gathered.push(await gather(ctx, expected, chunks));
      this.#bytes += sizeBytes;
      return;
    }
    await this.#hold([sha256]);
    await this.parts.singles.keep(ctx, expected, chunks);
  }

  /**
   * Resolves when all are on disk.
   *
   * @returns where those are that were written into a pack, for the rows that refer to them
   * @throws DataLossError when bytes, or their number, are not the announced ones;
   *   DiskFullError. None of the small ones is kept then
   */
  async settle(ctx: RequestContext): Promise<readonly PlacedBlob[]> {
    const wanted = new Map<string, Gathered>();
    for (const blob of this.#gathered) {
      const other = wanted.get(blob.sha256);
      if (other && other.sizeBytes !== blob.sizeBytes) {
        throw otherLength(blob.sizeBytes, other.sizeBytes);
      }
      if (!other || other.arrivedBytes < blob.arrivedBytes) wanted.set(blob.sha256, blob);
    }
    await this.#hold([...wanted.keys()]);
    await this.#passOverKnown(ctx, wanted);
    if (wanted.size === 0) return [];
    const blobs = [...wanted.values()].map(checked);
    ctx.signal.throwIfAborted();
    try {
      this.#appended = await this.#append(ctx, blobs);
    } catch (error) {
      throw diskFullOr(error);
    }
    return this.#appended.placed;
  }

  /** Lets go of the blobs. Idempotent. */
  end(): void {
    this.#appended?.release();
    this.parts.holds.release(this.#held.splice(0));
  }

  async #hold(names: readonly string[]): Promise<void> {
    await this.parts.holds.hold(names);
    this.#held.push(...names);
  }

  /** Entries of a caller that has left are durable in vain. */
  async #append(ctx: RequestContext, blobs: readonly SmallBlob[]): Promise<Appended> {
    const appending = this.parts.appender.append(blobs);
    try {
      return await orAbort(ctx.signal, appending);
    } catch (error) {
      appending.then(
        (appended) => appended.release(),
        () => {},
      );
      throw error;
    }
  }

  async #passOverKnown(ctx: RequestContext, wanted: Map<string, Gathered>): Promise<void> {
    if (wanted.size === 0) return;
    const places = await this.parts.find(ctx, [...wanted.keys()]);
    const packSizes = await this.#packSizes(places);
    for (const place of places) {
      const { sha256 } = place;
      const sizeBytes = isInPack(place)
        ? await this.#sizeInPack(place, packSizes)
        : await this.parts.singles.confirm(ctx, sha256);
      if (sizeBytes === undefined) continue;
      const announced = (wanted.get(sha256) as Gathered).sizeBytes;
      if (announced !== sizeBytes) throw otherLength(announced, sizeBytes);
      wanted.delete(sha256);
    }
  }

  /** Undefined where its pack ends before it, as after a loss of the disk's. */
  async #sizeInPack(
    place: PackPlace,
    packSizes: ReadonlyMap<number, number>,
  ): Promise<number | undefined> {
    const end = place.position + entryBytes(place.size_bytes);
    if ((packSizes.get(place.pack_id) ?? 0) >= end) return place.size_bytes;
    await this.parts.lose(place);
    return undefined;
  }

  async #packSizes(places: readonly BlobPlace[]): Promise<Map<number, number>> {
    const ids = new Set(places.filter(isInPack).map(({ pack_id }) => pack_id));
    const { packs } = this.parts;
    const sizes = new Map<number, number>();
    await mapAtOnce([...ids], packs.readsAtOnce, async (id) => {
      sizes.set(id, await packs.sizeOf(id));
    });
    return sizes;
  }
}

async function gather(
  ctx: RequestContext,
  { sha256, sizeBytes }: Expected,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<Gathered> {
  const parts: Uint8Array[] = [];
  let arrivedBytes = 0;
  for await (const chunk of chunks) {
    ctx.signal.throwIfAborted();
    arrivedBytes += chunk.length;
    if (arrivedBytes <= sizeBytes) parts.push(chunk);
  }
  return { sha256, sizeBytes, parts, arrivedBytes };
}

/** @throws DataLossError */
function checked({ sha256, sizeBytes, parts, arrivedBytes }: Gathered): SmallBlob {
  if (arrivedBytes !== sizeBytes) throw wrongLength(sizeBytes, arrivedBytes);
  const [first] = parts;
  const bytes = first && parts.length === 1 ? first : Buffer.concat(parts, sizeBytes);
  if (hash('sha256', bytes, 'hex') !== sha256) throw wrongBytes();
  return { sha256, bytes };
}
