import { basename } from 'node:path';
import { OutputRecord } from '../../sandbox/output-record.js';
import {
  type EngineObserver,
  type EngineProgress,
  noProgress,
  type WrittenArtifact,
} from '../engine.js';
import { isCrashName } from '../plain-names.js';
import { libAflMark, libAflProgress } from './libafl-status.js';

const mib = 2 ** 20;
const lastWordsLines = 6;
/** Of a line that has not ended, bytes: what is searched for begins within so many of its end. */
const longestOpenLineBytes = 4096;

/*
 * Marks that are searched for in the bytes; only lines that hold one become text. A target
 * may print millions of lines, or none that ends, so a mark may stand anywhere in its line.
 */
const statusMark = Buffer.from('exec/s: ');
const statisticMark = Buffer.from('stat::');
const writtenMark = Buffer.from('Test unit written to ');
const reportMark = Buffer.from('ERROR: ');
const timeoutEndMark = Buffer.from('SUMMARY: libFuzzer: timeout');
const unknownFlagMark = Buffer.from("WARNING: unrecognized flag '");
const base64Mark = 'Base64: ';

/** "#4096	pulse  cov: 41 ft: 53 corp: 4/102b lim: 30 exec/s: 2048 rss: 31Mb L: 26/30 MS: 2 …" */
const statusLine = /#(\d{1,15})\t(INITED|NEW|REDUCE|RELOAD|pulse|DONE|READ|TIMEOUT) /;
const statusFields = / (cov|ft|corp|exec\/s|rss): (\d{1,15})(?:\/(\d{1,15})(b|Kb|Mb|Gb)?)?/g;
/** "stat::number_of_executed_units: 4096", from -print_final_stats=1. */
const finalStatistic = /stat::(number_of_executed_units|peak_rss_mb): +(\d{1,15})/;
const noise = /^(?:INFO: |#\d+\t|\tNEW_|stat::|=+$|$)/;

const unitBytes: Readonly<Record<string, number>> = { b: 1, Kb: 2 ** 10, Mb: mib, Gb: 2 ** 30 };

/** An artifact whose lines are not all printed yet. */
interface OpenArtifact {
  readonly name: string;
  /** undefined while its report is still being printed. */
  readonly output: WrittenArtifact['output'] | undefined;
  readonly input?: Buffer;
}

/**
 * Reads what one process of libFuzzer and its children print, and cuts it into a report
 * for each artifact: what comes before the line "Test unit written to PATH". The input in
 * Base64 follows that line where it is short. Of a timeout the report follows too.
 */
export class LibFuzzerOutput implements EngineObserver {
  #progress: EngineProgress = noProgress;
  readonly #record = new OutputRecord();
  /** End of the output, across artifacts; for the last words. */
  #recent = Buffer.alloc(0);
  #openLine: Buffer = Buffer.alloc(0);
  #open: OpenArtifact | undefined;
  #complaint: string | undefined;

  constructor(private readonly onArtifact: (artifact: WrittenArtifact) => void) {}

  get progress(): EngineProgress {
    return this.#progress;
  }

  get complaint(): string | undefined {
    return this.#complaint;
  }

  get lastWords(): string {
    const lines = this.#recent.toString('utf8').split('\n');
    return lines
      .filter((line) => !noise.test(line))
      .slice(-lastWordsLines)
      .join('\n');
  }

  push(chunk: Buffer): void {
    const text = this.#openLine.length > 0 ? Buffer.concat([this.#openLine, chunk]) : chunk;
    const knownBytes = this.#openLine.length;
    const linesEnd = text.lastIndexOf(10) + 1;
    this.#remember(chunk);
    this.#readLines(text.subarray(0, linesEnd));
    let doneBytes = linesEnd === 0 ? 0 : this.#cut(text.subarray(0, linesEnd), knownBytes);
    doneBytes = Math.max(doneBytes, knownBytes);
    this.#keep(text, doneBytes, text.length);
    // Copied: a slice would keep the whole chunk alive.
    this.#openLine = Buffer.from(
      text.subarray(Math.max(linesEnd, text.length - longestOpenLineBytes)),
    );
  }

  /** It writes to the plain folders itself. */
  async collect(): Promise<void> {}

  end(): void {
    if (this.#openLine.length > 0) this.push(Buffer.from('\n'));
    this.#close();
  }

  #remember(chunk: Buffer): void {
    const bytes = chunk.subarray(Math.max(chunk.length - longestOpenLineBytes, 0));
    const before = this.#recent.subarray(
      Math.max(this.#recent.length + bytes.length - longestOpenLineBytes, 0),
    );
    this.#recent = Buffer.concat([before, bytes]);
  }

  #readLines(lines: Buffer): void {
    // Before the first status line: after it a target may print what it likes.
    if (this.#progress.isSilent) {
      const status = lines.indexOf(statusMark);
      const before = status < 0 ? lines : lines.subarray(0, lines.lastIndexOf(10, status) + 1);
      for (const { text } of linesWith(before, unknownFlagMark)) this.#readUnknownFlag(text);
    }
    for (const { text } of linesWith(lines, statusMark)) this.#readStatus(text);
    for (const { text } of linesWith(lines, statisticMark)) this.#readFinal(text);
    for (const { text } of linesWith(lines, libAflMark)) {
      this.#progress = libAflProgress(text, this.#progress) ?? this.#progress;
    }
  }

  /** @returns how many bytes are in the record, or belong to no report */
  #cut(lines: Buffer, knownBytes: number): number {
    let doneBytes = 0;
    const take = (endByte: number) => {
      this.#keep(lines, Math.max(doneBytes, knownBytes), endByte);
      doneBytes = endByte;
    };
    if (this.#open) doneBytes = this.#readAfter(lines, doneBytes, take);
    for (const { text, endByte } of linesWith(lines, writtenMark)) {
      if (endByte <= doneBytes) continue;
      const path = text.slice(text.indexOf(writtenMark.toString()) + writtenMark.length);
      const name = basename(path.trim());
      if (!isCrashName(name)) continue;
      this.#close();
      take(endByte);
      const isPending = name.startsWith('timeout-');
      this.#open = { name, output: isPending ? undefined : this.#record.take() };
      doneBytes = this.#readAfter(lines, doneBytes, take);
    }
    return doneBytes;
  }

  /** Reads what follows an artifact's line: the input, and the report of a timeout. */
  #readAfter(lines: Buffer, fromByte: number, take: (endByte: number) => void): number {
    const open = this.#open;
    const lineEnd = lines.indexOf(10, fromByte) + 1;
    if (!open || lineEnd === 0) return fromByte;
    let doneBytes = fromByte;
    const isFirst = !('input' in open);
    const line = isFirst ? lines.toString('latin1', fromByte, lineEnd) : '';
    if (isFirst && line.startsWith(base64Mark)) {
      const input = Buffer.from(line.slice(base64Mark.length).trim(), 'base64');
      this.#open = { ...open, input };
      doneBytes = lineEnd;
    }
    if (open.output) this.#close();
    else {
      const end = lines.indexOf(timeoutEndMark, doneBytes);
      if (end < 0) return doneBytes;
      take(lines.indexOf(10, end) + 1);
      doneBytes = lines.indexOf(10, end) + 1;
      this.#close();
    }
    return doneBytes;
  }

  #close(): void {
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    this.onArtifact({ ...open, output: open.output ?? this.#record.take() });
  }

  #keep(text: Buffer, fromByte: number, endByte: number): void {
    if (endByte <= fromByte) return;
    const searched = Math.max(fromByte - reportMark.length + 1, 0);
    const mark = this.#record.isPinned
      ? -1
      : text.subarray(0, endByte).indexOf(reportMark, searched);
    if (mark < 0) {
      this.#record.push(text.subarray(fromByte, endByte));
      return;
    }
    const at = Math.max(text.lastIndexOf(10, mark) + 1, fromByte);
    this.#record.push(text.subarray(fromByte, at));
    this.#record.pin();
    this.#record.push(text.subarray(at, endByte));
  }

  #readUnknownFlag(line: string): void {
    const [, flag] = /^WARNING: unrecognized flag '(-\w{1,100})/.exec(line) ?? [];
    if (flag) this.#complaint ??= `libFuzzer does not know the flag ${flag}: see "TARGET -help=1"`;
  }

  #readStatus(line: string): void {
    const status = statusLine.exec(line);
    if (!status) return;
    const [, executions, event] = status;
    let next = { ...this.#progress, isSilent: false };
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
    // The pulse comes while it reads its corpus, too.
    next.isFuzzing ||= event !== 'READ' && event !== 'pulse' && event !== 'TIMEOUT';
    if (event === 'INITED') next = { ...next, loaded: Number(executions) };
    next.isDone ||= event === 'DONE';
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
    // It prints at each power of two.
    const executionsBelow = 2 ** (Math.floor(Math.log2(Math.max(executions, 1))) + 1);
    this.#progress = { ...this.#progress, executions, executionsBelow };
  }
}

/** Lines that hold a mark, from at most 4 KiB before it; each line once. */
function* linesWith(lines: Buffer, mark: Buffer): Generator<{ text: string; endByte: number }> {
  let at = lines.indexOf(mark);
  while (at >= 0) {
    const start = Math.max(lines.lastIndexOf(10, at) + 1, at - longestOpenLineBytes);
    const end = lines.indexOf(10, at);
    const endByte = end < 0 ? lines.length : end + 1;
    yield { text: lines.toString('utf8', start, endByte - 1), endByte };
    at = lines.indexOf(mark, endByte);
  }
}
