import { PrintedLines } from '../printed-lines.js';

const fuzzing = /^Entering phase 3\/3/;
const done = /^Maximum run time reached|^Summary iterations:/;
const summary = /^Summary iterations:(\d{1,15}) .*\bpeak_rss_mb:(\d{1,9})/;
/** Progress, and what is in files as well. */
const noise =
  /^\s*$|^Sz:|^Size:|^Crash|^Persistent |^Entering |^Launched |^Start time:|^Extracted |^Dictionary |^Parsed |^Loading |^File |^Terminating |^Summary |^Maximum |^\[[^\]]*\]\[[WID]\]/;

/** What honggfuzz prints with -v. */
export class HonggfuzzLog {
  readonly #lines = new PrintedLines((line) => this.#read(line));
  #isFuzzing = false;
  #isDone = false;
  #hasPrinted = false;
  #executions = 0;
  #peakMemoryMib = 0;

  push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  end(): void {
    this.#lines.end();
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
    return this.#lines.lastWords;
  }

  #read(line: string): void {
    this.#hasPrinted = true;
    this.#isFuzzing ||= fuzzing.test(line);
    this.#isDone ||= done.test(line);
    const [, executions = 0, memory = 0] = summary.exec(line) ?? [];
    this.#executions = Math.max(this.#executions, Number(executions));
    this.#peakMemoryMib = Math.max(this.#peakMemoryMib, Number(memory));
    if (!noise.test(line)) this.#lines.keep(line.trim());
  }
}
