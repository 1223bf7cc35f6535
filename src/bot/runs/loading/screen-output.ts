/** Of what is printed about one input, bytes: reports begin with what matters. */
const mostWordsBytes = 64 * 1024;
/** Of a line that has not ended, bytes. */
const longestOpenLine = 8192;

/** Reads which of its inputs a process has begun with, and what it printed since. */
export class ScreenOutput {
  #begun = 0;
  #words = '';
  #openLine = '';

  /**
   * @param paths of the inputs, in their order
   * @param begins the path in a line that says that an input begins; undefined for other lines
   */
  constructor(
    private readonly paths: readonly string[],
    private readonly begins: (line: string) => string | undefined,
  ) {}

  /** Inputs that it has begun with. */
  get begun(): number {
    return this.#begun;
  }

  /** What was printed since the last input began, its beginning. */
  get words(): string {
    return this.#words;
  }

  /** @returns whether a further input has begun */
  push(chunk: Buffer): boolean {
    const before = this.#begun;
    const lines = (this.#openLine + chunk.toString('latin1')).split('\n');
    this.#openLine = (lines.pop() ?? '').slice(0, longestOpenLine);
    for (const line of lines) {
      if (this.begins(line) === this.paths[this.#begun] && this.#begun < this.paths.length) {
        this.#begun += 1;
        this.#words = '';
      } else if (this.#words.length < mostWordsBytes) {
        this.#words += `${line.slice(0, longestOpenLine)}\n`;
      }
    }
    return this.#begun > before;
  }
}
