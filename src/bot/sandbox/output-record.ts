/** A part of an output, with the number of bytes left out before it. */
export interface OutputPiece {
  readonly bytes: Buffer;
  readonly omittedBytes: number;
}

/**
 * Bounds, bytes. Together they stay under the 128 KiB of a crash's report; the tail is
 * largest, as a report comes last before its artifact.
 */
const headBytes = 16 * 1024;
const pinnedBytes = 24 * 1024;
const tailBytes = 80 * 1024;

/**
 * What a process printed since the last `take`, in bounded memory: the head, the tail,
 * and a pinned part that begins where a report seems to begin.
 */
export class OutputRecord {
  readonly #head = new Bounded(headBytes);
  readonly #pinned = new Bounded(pinnedBytes);
  readonly #tail = new Tail(tailBytes);
  #pinnedAt: number | undefined;
  #totalBytes = 0;

  get isPinned(): boolean {
    return this.#pinnedAt !== undefined;
  }

  push(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#head.push(bytes);
    if (this.#pinnedAt !== undefined) this.#pinned.push(bytes);
    this.#tail.push(bytes);
    this.#totalBytes += bytes.length;
  }

  /** Keeps what comes from here on, within a bound; only the first call after a `take` counts. */
  pin(): void {
    this.#pinnedAt ??= this.#totalBytes;
  }

  /** Pieces in order, without overlaps. */
  get pieces(): OutputPiece[] {
    const pieces: OutputPiece[] = [];
    let doneBytes = 0;
    for (const { at, bytes } of this.#parts()) {
      const fresh = bytes.subarray(Math.max(doneBytes - at, 0));
      if (fresh.length === 0) continue;
      const fromByte = Math.max(at, doneBytes);
      const last = pieces.at(-1);
      if (last && fromByte === doneBytes) {
        const joined = Buffer.concat([last.bytes, fresh]);
        pieces[pieces.length - 1] = { bytes: joined, omittedBytes: last.omittedBytes };
      } else pieces.push({ bytes: fresh, omittedBytes: fromByte - doneBytes });
      doneBytes = fromByte + fresh.length;
    }
    return pieces;
  }

  #parts(): { at: number; bytes: Buffer }[] {
    const tail = this.#tail.bytes;
    return [
      { at: 0, bytes: this.#head.bytes },
      ...(this.#pinnedAt === undefined ? [] : [{ at: this.#pinnedAt, bytes: this.#pinned.bytes }]),
      { at: this.#totalBytes - tail.length, bytes: tail },
    ];
  }

  /** Returns the pieces and begins anew. */
  take(): OutputPiece[] {
    const { pieces } = this;
    this.#head.clear();
    this.#pinned.clear();
    this.#tail.clear();
    this.#pinnedAt = undefined;
    this.#totalBytes = 0;
    return pieces;
  }
}

/** The first bytes of a stream. */
class Bounded {
  readonly #chunks: Buffer[] = [];
  #sizeBytes = 0;

  constructor(private readonly limitBytes: number) {}

  push(bytes: Buffer): void {
    const roomBytes = this.limitBytes - this.#sizeBytes;
    if (roomBytes <= 0) return;
    // Copied: a slice would keep the whole chunk alive.
    this.#chunks.push(Buffer.from(bytes.subarray(0, roomBytes)));
    this.#sizeBytes += Math.min(bytes.length, roomBytes);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#sizeBytes = 0;
  }
}

/** The last bytes of a stream, in a buffer of twice their size, so that each is moved once. */
class Tail {
  readonly #buffer: Buffer;
  #end = 0;

  constructor(private readonly limitBytes: number) {
    this.#buffer = Buffer.allocUnsafe(2 * limitBytes);
  }

  push(bytes: Buffer): void {
    const kept = bytes.subarray(Math.max(bytes.length - this.limitBytes, 0));
    if (this.#end + kept.length > this.#buffer.length) {
      const start = this.#end - this.limitBytes;
      this.#buffer.copyWithin(0, start, this.#end);
      this.#end = this.limitBytes;
    }
    this.#end += kept.copy(this.#buffer, this.#end);
  }

  get bytes(): Buffer {
    return Buffer.from(this.#buffer.subarray(Math.max(this.#end - this.limitBytes, 0), this.#end));
  }

  clear(): void {
    this.#end = 0;
  }
}
