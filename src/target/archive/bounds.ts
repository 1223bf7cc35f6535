import { TargetFault } from '../fault.js';

/** What may come out of an archive. */
export interface ArchiveBounds {
  /** The archive in words: "the bundle". */
  readonly what: string;
  /** Bytes that come out, headers and padding included. */
  readonly bytes: number;
  /** Files, folders and links. */
  readonly entries: number;
}

/** A build output with its sanitizers and its data; an archive must not fill a disk. */
export const bundleBounds: ArchiveBounds = {
  what: 'the bundle',
  bytes: 4 * 2 ** 30,
  entries: 100_000,
};

/** More than any corpus that is worth starting from. */
export const seedBounds: ArchiveBounds = {
  what: 'the seeds',
  bytes: 2 * 2 ** 30,
  entries: 200_000,
};

/** Folders within each other. */
export const mostDepth = 32;

/**
 * Bytes out for one byte in. Executables come to 5, texts to 30, a corpus of small like files
 * to 100; deflate itself ends at 1032.
 */
const mostRatio = 200;
/** So much may come out of any archive, bytes: small archives of small files compress better. */
const freeBytes = 64 * 2 ** 20;

/** Counts what comes out of an archive while it comes out. */
export class Meter {
  #bytes = 0;
  #entries = 0;

  /** @param packedBytes length of the archive */
  constructor(
    private readonly bounds: ArchiveBounds,
    private readonly packedBytes: number,
  ) {}

  /** @throws TargetFault when it is too much */
  addBytes(count: number): void {
    const { what, bytes } = this.bounds;
    this.#bytes += count;
    if (this.#bytes > bytes) throw new TargetFault(`${what} unpack to more than ${bytes} bytes`);
    if (this.#bytes > freeBytes && this.#bytes > this.packedBytes * mostRatio) {
      throw new TargetFault(
        `${what} unpack to more than ${mostRatio} times their packed length: send what is in them with less of the same in it`,
      );
    }
  }

  /** @throws TargetFault when they are too many */
  addEntry(): void {
    const { what, entries } = this.bounds;
    this.#entries += 1;
    if (this.#entries > entries) throw new TargetFault(`${what} have more than ${entries} entries`);
  }

  /** The chunks, counted as they pass. */
  async *count(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.addBytes(chunk.length);
      yield chunk;
    }
  }
}
