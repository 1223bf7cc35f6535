import { TargetFault } from '../fault.js';

const nothing = Buffer.alloc(0);

/** Bytes that arrive in chunks, taken in the lengths that a reader needs. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = nothing;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Up to `most` bytes, at least one; undefined at the end. */
  async some(most: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return undefined;
      this.#rest = next.value;
    }
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  /**
   * Exactly `count` bytes; undefined at the end.
   *
   * @throws TargetFault when the end is between them
   */
  async take(count: number): Promise<Buffer | undefined> {
    const parts: Uint8Array[] = [];
    for (let left = count; left > 0; ) {
      const part = await this.some(left);
      if (!part) {
        if (left === count) return undefined;
        throw cutShort();
      }
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** @throws TargetFault when it ends before */
  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const part = await this.some(left);
      if (!part) throw cutShort();
      left -= part.length;
    }
  }
}

export const cutShort = () =>
  new TargetFault('the archive ends in the middle of an entry: make it anew');
