/** Longest line kept, bytes; what is longer is cut, and the rest of it dropped. */
const longestLineBytes = 8192;

/**
 * Cuts a stream of bytes into lines. Keeps at most one line in memory, so that
 * a target that prints without end costs nothing but time.
 */
export class LineSplitter {
  #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor(private readonly onLine: (line: string) => void) {}

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      this.#keep(chunk.subarray(start, end));
      this.end();
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  /** Hands over what came after the last newline, or an empty line. */
  end(): void {
    const line = Buffer.concat(this.#kept).toString('utf8');
    this.#kept = [];
    this.#keptBytes = 0;
    this.onLine(line);
  }

  #keep(bytes: Buffer): void {
    const roomBytes = longestLineBytes - this.#keptBytes;
    if (roomBytes <= 0 || bytes.length === 0) return;
    // Copied: a slice would keep the whole chunk alive.
    this.#kept.push(Buffer.from(bytes.subarray(0, roomBytes)));
    this.#keptBytes += Math.min(bytes.length, roomBytes);
  }
}
