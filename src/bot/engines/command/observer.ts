import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OutputRecord } from '../../sandbox/output-record.js';
import { readPlainFile, readPlainStart } from '../../sandbox/plain-file.js';
import { AddedFiles } from '../added-files.js';
import { Arrivals } from '../arrivals.js';
import { moveFile, shareFile } from '../bring-in.js';
import type { EngineObserver, EngineProgress, EngineStart, WrittenArtifact } from '../engine.js';
import { type ArtifactKind, artifactName, sha1Of } from '../plain-names.js';
import { type CommandFolders, foldersIn, seedPrefix } from './folders.js';
import { Announced, CommandLines } from './lines.js';

/** A file that no line was printed of may be half written for so long, milliseconds. */
const settledMs = 1000;
const mostReportBytes = 64 * 1024;
const reportSuffix = '.report';
const crashMark = Buffer.from('pandafuzz: crash ');

/** Follows one start of an engine of the command convention, by its lines and its folders. */
export class CommandObserver implements EngineObserver {
  readonly #lines: CommandLines;
  readonly #record = new OutputRecord();
  readonly #announced = new Announced<WrittenArtifact['output']>();
  readonly #folders: CommandFolders;
  readonly #inputs: AddedFiles;
  readonly #crashes: AddedFiles;
  readonly #arrivals: Arrivals;
  /** Names in the run's corpus of what the engine found. */
  readonly #own = new Set<string>();
  #ownBytes = 0;

  constructor(
    private readonly start: Pick<EngineStart, 'corpus' | 'artifacts' | 'state'>,
    private readonly onArtifact: (artifact: WrittenArtifact) => void,
  ) {
    this.#lines = new CommandLines({
      crash: (name) => this.#announced.add(name, this.#record.take()),
    });
    this.#folders = foldersIn(start.state);
    const isOther = (name: string) => this.#isOther(name);
    this.#inputs = new AddedFiles({ folder: this.#folders.corpus, settledMs, isOther });
    this.#crashes = new AddedFiles({ folder: this.#folders.crashes, settledMs });
    this.#arrivals = new Arrivals(start.corpus);
  }

  push(chunk: Buffer): void {
    let doneBytes = 0;
    // A report begins after the line about the crash before it.
    for (let at = chunk.indexOf(crashMark); at >= 0; at = chunk.indexOf(crashMark, doneBytes)) {
      const lineEnd = chunk.indexOf(10, at) + 1 || chunk.length;
      this.#read(chunk.subarray(doneBytes, lineEnd));
      doneBytes = lineEnd;
    }
    this.#read(chunk.subarray(doneBytes));
  }

  #read(part: Buffer): void {
    this.#record.push(part);
    this.#lines.push(part);
  }

  end(): void {
    this.#lines.end();
  }

  get progress(): EngineProgress {
    return {
      ...this.#lines.progress,
      corpusFiles: this.#own.size,
      corpusBytes: this.#ownBytes,
      newInputs: this.#own.size,
      // An end with exit code 0 is one that it came to.
      isDone: true,
    };
  }

  get complaint(): string | undefined {
    return this.#lines.refusal;
  }

  get lastWords(): string {
    return this.#lines.lastWords;
  }

  async collect(isLast: boolean): Promise<void> {
    await this.#takeCrashes(isLast);
    await this.#takeInputs(isLast);
    if (!isLast) await this.#bringArrivals();
  }

  async #takeCrashes(isLast: boolean): Promise<void> {
    const isWhole = (name: string) => this.#announced.has(name);
    for (const { name, path } of await this.#crashes.fresh(isLast, isWhole)) {
      if (name.endsWith(reportSuffix) && !isWhole(name)) continue;
      this.#crashes.forget(name);
      const input = await readPlainFile(path);
      if (!input) continue;
      const artifact = artifactName(kindOf(name), input);
      const text = `the engine kept this input as crashes/${name}\n`;
      const output = [
        { bytes: Buffer.from(text), omittedBytes: 0 },
        ...(await this.#reportIn(`${path}${reportSuffix}`)),
        ...(this.#announced.take(name) ?? []),
      ];
      await moveFile(path, join(this.start.artifacts, artifact));
      this.onArtifact({ name: artifact, output });
    }
  }

  async #reportIn(path: string): Promise<WrittenArtifact['output']> {
    const bytes = await readPlainStart(path, mostReportBytes);
    return bytes ? [{ bytes, omittedBytes: 0 }] : [];
  }

  async #takeInputs(isLast: boolean): Promise<void> {
    const { corpus } = this.start;
    for (const { path } of await this.#inputs.fresh(isLast)) {
      const input = await readPlainFile(path);
      if (!input || input.length === 0) continue;
      const name = sha1Of(input);
      if (!(await shareFile(path, join(corpus, name)))) continue;
      this.#own.add(name);
      this.#ownBytes += input.length;
    }
  }

  /** What lies in the run's corpus is no find. */
  async #isOther(name: string): Promise<boolean> {
    if (name.startsWith(seedPrefix)) return true;
    return stat(join(this.start.corpus, name)).then(
      () => true,
      () => false,
    );
  }

  async #bringArrivals(): Promise<void> {
    for (const name of await this.#arrivals.look()) {
      if (this.#own.has(name)) continue;
      await shareFile(join(this.start.corpus, name), join(this.#folders.corpus, name));
    }
  }
}

const kinds: readonly ArtifactKind[] = ['leak', 'timeout', 'oom'];

/** A name such as "timeout-3" tells the kind. */
const kindOf = (name: string): ArtifactKind =>
  kinds.find((kind) => name === kind || new RegExp(`^${kind}[-_.]`).test(name)) ?? 'crash';
