/** A part of a log. Places are bytes since the log's beginning. */
export interface LogSlice {
  readonly data: Buffer;
  /** Place of the first byte; later than the one asked for where the bytes between are gone. */
  readonly offset: number;
  /** Place to go on from. */
  readonly nextOffset: number;
}

/** The last bytes of a log, in bounded memory: at most one and a half times the limit. */
export class LogTail {
  #chunks: Buffer[] = [];
  #keptBytes = 0;
  #totalBytes = 0;

  constructor(readonly limitBytes: number) {}

  get sizeBytes(): number {
    return this.#totalBytes;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#totalBytes += bytes.length;
    // Copied: a slice would keep the whole chunk alive.
    const kept = Buffer.from(bytes.subarray(Math.max(bytes.length - this.limitBytes, 0)));
    this.#chunks.push(kept);
    this.#keptBytes += kept.length;
    if (this.#keptBytes > 1.5 * this.limitBytes || this.#chunks.length > 1024) this.#join();
  }

  /** What is kept from this place on. */
  read(from: number): LogSlice {
    this.#join();
    const [all = Buffer.alloc(0)] = this.#chunks;
    const first = this.#totalBytes - all.length;
    const offset = Math.min(Math.max(from, first), this.#totalBytes);
    return { data: all.subarray(offset - first), offset, nextOffset: this.#totalBytes };
  }

  #join(): void {
    const all = Buffer.concat(this.#chunks);
    const last = all.subarray(Math.max(all.length - this.limitBytes, 0));
    this.#chunks = last.length > 0 ? [last.length < all.length ? Buffer.from(last) : last] : [];
    this.#keptBytes = last.length;
  }
}
