const longestLine = 4096;
const lastWordsLines = 6;

const fuzzing = /^Entering phase 3\/3/;
const done = /^Maximum run time reached|^Summary iterations:/;
const summary = /^Summary iterations:(\d{1,15}) .*\bpeak_rss_mb:(\d{1,9})/;
/** Progress, and what is in files as well. */
const noise =
  /^\s*$|^Sz:|^Size:|^Crash|^Persistent |^Entering |^Launched |^Start time:|^Extracted |^Dictionary |^Parsed |^Loading |^File |^Terminating |^Summary |^Maximum |^\[[^\]]*\]\[[WID]\]/;

/** What honggfuzz prints with -v. */
export class HonggfuzzLog {
  #openLine = '';
  #words: string[] = [];
  #isFuzzing = false;
  #isDone = false;
  #hasPrinted = false;
  #executions = 0;
  #peakMemoryMib = 0;

  push(chunk: Buffer): void {
    const lines = (this.#openLine + chunk.toString('latin1')).split('\n');
    this.#openLine = (lines.pop() ?? '').slice(0, longestLine);
    for (const line of lines) this.#read(line.slice(0, longestLine));
  }

  end(): void {
    if (this.#openLine !== '') this.push(Buffer.from('\n'));
  }

  get isFuzzing(): boolean {
    return this.#isFuzzing;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  get hasPrinted(): boolean {
    return this.#hasPrinted;
  }

  /** Of the whole start, once it has ended; 0 before. */
  get executions(): number {
    return this.#executions;
  }

  get peakMemoryBytes(): number {
    return this.#peakMemoryMib * 2 ** 20;
  }

  get lastWords(): string {
    return this.#words.join('\n');
  }

  #read(line: string): void {
    this.#hasPrinted = true;
    this.#isFuzzing ||= fuzzing.test(line);
    this.#isDone ||= done.test(line);
    const [, executions = 0, memory = 0] = summary.exec(line) ?? [];
    this.#executions = Math.max(this.#executions, Number(executions));
    this.#peakMemoryMib = Math.max(this.#peakMemoryMib, Number(memory));
    if (!noise.test(line)) this.#words = [...this.#words, line.trim()].slice(-lastWordsLines);
  }
}
