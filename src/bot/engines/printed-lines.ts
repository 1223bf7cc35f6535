/** Of a line, characters. */
const longestLine = 4096;
const lastWordsLines = 6;

/** Reads the lines of what an engine prints, however its output is cut. */
export abstract class PrintedLines {
  #open = '';
  #lastWords: string[] = [];

  constructor(private readonly encoding: 'latin1' | 'utf8' = 'latin1') {}

  push(chunk: Buffer): void {
    const lines = (this.#open + chunk.toString(this.encoding)).split('\n');
    this.#open = (lines.pop() ?? '').slice(0, longestLine);
    for (const line of lines) this.read(line.slice(0, longestLine));
  }

  /** Reads a last line that has no end. */
  end(): void {
    if (this.#open !== '') this.push(Buffer.from('\n'));
  }

  protected abstract read(line: string): void;

  /** A line that says something: of why it ends, if it does. */
  protected keep(line: string): void {
    this.#lastWords = [...this.#lastWords, line].slice(-lastWordsLines);
  }

  get lastWords(): string {
    return this.#lastWords.join('\n');
  }
}

/** Lines of an engine that say how far it is. */
export abstract class EngineLog extends PrintedLines {
  #isFuzzing = false;
  #isDone = false;
  #hasPrinted = false;

  /** It makes inputs of its own. */
  get isFuzzing(): boolean {
    return this.#isFuzzing;
  }

  /** It came to one of its limits. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** It printed a line of its own. */
  get hasPrinted(): boolean {
    return this.#hasPrinted;
  }

  /** What a line says; what was said once stays. */
  protected note(line: {
    readonly isFuzzing: boolean;
    readonly isDone: boolean;
    readonly isOwn: boolean;
  }): void {
    this.#isFuzzing ||= line.isFuzzing;
    this.#isDone ||= line.isDone;
    this.#hasPrinted ||= line.isOwn;
  }
}
