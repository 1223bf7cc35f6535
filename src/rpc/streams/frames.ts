/** A message marked as compressed, on a stream that has named no encoding. */
export class CompressedError extends Error {
  constructor() {
    super('a message is marked as compressed, but the call has no grpc-encoding');
  }
}

/** Bytes before every message: one whether it is compressed, four of its length. */
const prefixBytes = 5;

/**
 * The messages in a stream's bytes, however these are cut. A message that came in one
 * piece is not copied, and nothing of a message is kept once `next` has returned it.
 */
export class Frames {
  readonly #parts: Buffer[] = [];
  #length = 0;
  /** Bytes that `next` waits for: the prefix, then the prefix with its message. */
  #wanted = prefixBytes;

  constructor(private readonly maxBytes: number) {}

  add(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  /**
   * The next message, once it is whole: a view of the bytes that were added.
   *
   * @throws RangeError when it is longer than `maxBytes`, CompressedError when it is compressed;
   *   nothing can be read after it
   */
  next(): Buffer | undefined {
    if (this.#length < this.#wanted) return undefined;
    const bytes = this.#joined();
    if (this.#wanted === prefixBytes) {
      if (bytes.readUInt8(0) !== 0) throw new CompressedError();
      const size = bytes.readUInt32BE(1);
      if (size > this.maxBytes) {
        throw new RangeError(`a message of ${size} bytes: ${this.maxBytes} are taken at most`);
      }
      this.#wanted += size;
      if (this.#length < this.#wanted) return undefined;
    }
    const end = this.#wanted;
    this.#wanted = prefixBytes;
    this.#length -= end;
    this.#parts.length = 0;
    if (this.#length > 0) this.#parts.push(bytes.subarray(end));
    return bytes.subarray(prefixBytes, end);
  }

  #joined(): Buffer {
    const [first] = this.#parts;
    if (first && this.#parts.length === 1) return first;
    const all = Buffer.concat(this.#parts, this.#length);
    this.#parts.splice(0, this.#parts.length, all);
    return all;
  }
}
