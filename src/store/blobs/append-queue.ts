import { entryBytes, type PlacedBlob } from '../ops/blobs/place-blobs.js';
import type { Appended, SmallBlob } from './depot.js';
import { writeEntry } from './entry.js';

/** Bytes in one write, unless one caller alone brings more. */
const largestWriteBytes = 8 * 2 ** 20;

interface Waiting {
  readonly blobs: readonly SmallBlob[];
  readonly bytes: number;
  readonly done: PromiseWithResolvers<Appended>;
}

/** What several callers brought, for one write. */
export class AppendGroup {
  constructor(private readonly waiting: readonly Waiting[]) {}

  get bytes(): number {
    return this.waiting.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The entries of all callers, as a pack has them. */
  layOut(): Buffer {
    const bytes = Buffer.allocUnsafe(this.bytes);
    let at = 0;
    for (const { blobs } of this.waiting) {
      for (const { sha256, bytes: blob } of blobs) at = writeEntry(bytes, at, sha256, blob);
    }
    return bytes;
  }

  /** Answers each caller: its entries begin at `from` of the pack, behind those of earlier ones. */
  resolve(
    packId: number,
    from: number,
    appended: (placed: readonly PlacedBlob[]) => Appended,
  ): void {
    let position = from;
    for (const { blobs, done } of this.waiting) {
      const placed = blobs.map(({ sha256, bytes }): PlacedBlob => {
        const here = { sha256, sizeBytes: bytes.length, packId, position };
        position += entryBytes(bytes.length);
        return here;
      });
      done.resolve(appended(placed));
    }
  }

  reject(error: unknown): void {
    for (const { done } of this.waiting) done.reject(error);
  }
}

/** Callers whose entries wait for the next write. */
export class AppendQueue {
  readonly #waiting: Waiting[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(blobs: readonly SmallBlob[]): Promise<Appended> {
    const bytes = blobs.reduce((sum, blob) => sum + entryBytes(blob.bytes.length), 0);
    const done = Promise.withResolvers<Appended>();
    this.#waiting.push({ blobs, bytes, done });
    return done.promise;
  }

  takeGroup(): AppendGroup {
    const group: Waiting[] = [];
    for (let bytes = 0; ; ) {
      const next = this.#waiting[0];
      if (!next || (bytes > 0 && bytes + next.bytes > largestWriteBytes)) break;
      group.push(next);
      this.#waiting.shift();
      bytes += next.bytes;
    }
    return new AppendGroup(group);
  }
}
