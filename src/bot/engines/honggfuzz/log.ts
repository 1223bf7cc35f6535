import { EngineLog } from '../printed-lines.js';

const fuzzing = /^Entering phase 3\/3/;
const done = /^Maximum run time reached|^Summary iterations:/;
const summary = /^Summary iterations:(\d{1,15}) .*\bpeak_rss_mb:(\d{1,9})/;
/** Progress, and what is in files as well. */
const noise =
  /^\s*$|^Sz:|^Size:|^Crash|^Persistent |^Entering |^Launched |^Start time:|^Extracted |^Dictionary |^Parsed |^Loading |^File |^Terminating |^Summary |^Maximum |^\[[^\]]*\]\[[WID]\]/;

/** What honggfuzz prints with -v. */
export class HonggfuzzLog extends EngineLog {
  #executions = 0;
  #peakMemoryMib = 0;

  /** Of the whole start, once it has ended; 0 before. */
  get executions(): number {
    return this.#executions;
  }

  get peakMemoryBytes(): number {
    return this.#peakMemoryMib * 2 ** 20;
  }

  protected override read(line: string): void {
    this.note({ isFuzzing: fuzzing.test(line), isDone: done.test(line), isOwn: true });
    const [, executions = 0, memory = 0] = summary.exec(line) ?? [];
    this.#executions = Math.max(this.#executions, Number(executions));
    this.#peakMemoryMib = Math.max(this.#peakMemoryMib, Number(memory));
    if (!noise.test(line)) this.keep(line.trim());
  }
}
