/** Of a line, characters. */
const longestLine = 4096;
const lastWordsLines = 6;

/** Lines of what an engine prints, however its output is cut. */
export class PrintedLines {
  #open = '';
  #lastWords: string[] = [];

  constructor(
    private readonly read: (line: string) => void,
    private readonly encoding: 'latin1' | 'utf8' = 'latin1',
  ) {}

  push(chunk: Buffer): void {
    const lines = (this.#open + chunk.toString(this.encoding)).split('\n');
    this.#open = (lines.pop() ?? '').slice(0, longestLine);
    for (const line of lines) this.read(line.slice(0, longestLine));
  }

  /** Reads a last line that has no end. */
  end(): void {
    if (this.#open !== '') this.push(Buffer.from('\n'));
  }

  /** A line that says something: of why it ends, if it does. */
  keep(line: string): void {
    this.#lastWords = [...this.#lastWords, line].slice(-lastWordsLines);
  }

  get lastWords(): string {
    return this.#lastWords.join('\n');
  }
}
