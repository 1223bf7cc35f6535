import { clipUtf8 } from '../../core/clip.js';
import type { EngineProgress, EngineReader } from './engine.js';

const mib = 2 ** 20;
/** What the contract allows for a crash's report, bytes. */
const longestReportBytes = 128 * 1024;
/** Lines before a report that are kept with it: a failed assertion, an exception's message. */
const contextLines = 8;
const lastWordsLines = 6;

/** "#4096	pulse  cov: 41 ft: 53 corp: 4/102b lim: 30 exec/s: 2048 rss: 31Mb L: 26/30 MS: 2 …" */
const statusLine = /^#(\d{1,15})\t(INITED|NEW|REDUCE|RELOAD|pulse|DONE|READ|TIMEOUT) /;
const statusFields = / (cov|ft|corp|exec\/s|rss): (\d{1,15})(?:\/(\d{1,15})(b|Kb|Mb|Gb)?)?/g;
/** "stat::number_of_executed_units: 4096", from -print_final_stats=1. */
const finalStatistic = /^stat::(number_of_executed_units|peak_rss_mb): +(\d{1,15})$/;
/** Begins a report for good. */
const reportStart = /^==\d+== ?(?:ERROR|WARNING): (?:libFuzzer|\w{1,32}Sanitizer): /;
/** Begins one too, unless the target survives it. */
const warningStart = /: runtime error: /;
const noise = /^(?:INFO: |#\d+\t|\tNEW_|stat::|=+$|$)/;

const unitBytes: Readonly<Record<string, number>> = { b: 1, Kb: 2 ** 10, Mb: mib, Gb: 2 ** 30 };

/** Reads what one process of libFuzzer writes to standard error. */
export class LibFuzzerOutput implements EngineReader {
  #progress: EngineProgress = {
    executions: 0,
    coverage: 0,
    features: 0,
    corpusFiles: 0,
    corpusBytes: 0,
    peakMemoryBytes: 0,
    isFuzzing: false,
    newInputs: 0,
  };
  #report: string[] | undefined;
  #reportLength = 0;
  #isWarning = false;
  readonly #last: string[] = [];

  get progress(): EngineProgress {
    return this.#progress;
  }

  get report(): string {
    return clipUtf8(this.#report?.join('\n') ?? '', longestReportBytes);
  }

  get lastWords(): string {
    return this.#last.slice(-lastWordsLines).join('\n');
  }

  line(line: string): void {
    const status = statusLine.exec(line);
    if (status) this.#readStatus(line, status);
    else this.#readFinal(line);
    this.#collect(line);
  }

  #readStatus(line: string, [, executions, event]: RegExpExecArray): void {
    const next = { ...this.#progress };
    for (const [, name, first, bytes, unit] of line.matchAll(statusFields)) {
      const value = Number(first);
      if (name === 'cov') next.coverage = Math.max(next.coverage, value);
      if (name === 'ft') next.features = Math.max(next.features, value);
      if (name === 'rss') next.peakMemoryBytes = Math.max(next.peakMemoryBytes, value * mib);
      if (name !== 'corp') continue;
      next.corpusFiles = Math.max(next.corpusFiles, value);
      const sizeBytes = Number(bytes ?? 0) * (unitBytes[unit ?? 'b'] ?? 1);
      next.corpusBytes = Math.max(next.corpusBytes, sizeBytes);
    }
    next.isFuzzing ||= event !== 'READ';
    if (event === 'NEW' || event === 'REDUCE') next.newInputs += 1;
    this.#progress = next;
    this.#count(Number(executions));
  }

  #readFinal(line: string): void {
    const statistic = finalStatistic.exec(line);
    if (statistic?.[1] === 'number_of_executed_units') this.#count(Number(statistic[2]));
    if (statistic?.[1] === 'peak_rss_mb') {
      const peakMemoryBytes = Math.max(this.#progress.peakMemoryBytes, Number(statistic[2]) * mib);
      this.#progress = { ...this.#progress, peakMemoryBytes };
    }
  }

  #count(printed: number): void {
    const executions = Math.max(this.#progress.executions, printed);
    this.#progress = { ...this.#progress, executions };
  }

  #collect(line: string): void {
    const isStart = reportStart.test(line);
    const isWarning = !isStart && warningStart.test(line);
    const begins = this.#report === undefined || this.#isWarning;
    if (begins && (isStart || isWarning)) {
      this.#report = this.#isWarning ? [] : this.#last.slice(-contextLines);
      this.#reportLength = 0;
      this.#isWarning = isWarning;
    }
    if (this.#report && this.#reportLength < longestReportBytes) {
      this.#report.push(line);
      this.#reportLength += line.length + 1;
    }
    if (noise.test(line)) return;
    this.#last.push(line);
    if (this.#last.length > contextLines * 2) this.#last.splice(0, contextLines);
  }
}
