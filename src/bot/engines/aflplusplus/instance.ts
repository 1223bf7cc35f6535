import { join } from 'node:path';
import {
  plainFile,
  readPlainEnd,
  readPlainFile,
  readPlainStart,
} from '../../sandbox/plain-file.js';
import { moveFile, shareFile } from '../bring-in.js';
import type { EngineStart, WrittenArtifact } from '../engine.js';
import { artifactName, sha1Of } from '../plain-names.js';
import { NumberedFiles } from './numbered-files.js';
import { type AflStats, largest, noStats, readFuzzerStats, readPlotData } from './stats.js';

/** Of plot_data: more than its longest line, bytes. */
const plotTailBytes = 1024;
const mostStatsBytes = 64 * 1024;

/** What one look at an instance brought. */
export interface Brought {
  /** Names of new inputs in the corpus folder. */
  readonly inputs: readonly string[];
  readonly inputBytes: number;
}

export interface InstanceParts {
  readonly name: string;
  readonly folder: string;
  /** Its figures before this start; there is none before the first. */
  readonly statsBefore: string;
  /** The plain folders of the run. */
  readonly to: Pick<EngineStart, 'corpus' | 'artifacts'>;
  readonly onArtifact: (artifact: WrittenArtifact) => void;
}

/**
 * One instance's folder in AFL++'s output: its finds go to the plain folders, its figures are
 * read as they grow. Inputs of other instances and of seeds are in its queue too; those come
 * from elsewhere.
 */
export class Instance {
  readonly #queue: NumberedFiles;
  readonly #crashes: NumberedFiles;
  readonly #hangs: NumberedFiles;
  #stats: AflStats = noStats;
  /** Executions of the starts before, which its figures contain. */
  #executionsBefore: number | undefined;
  #pid = 0;
  readonly #files = new Map<string, string>();

  constructor(private readonly parts: InstanceParts) {
    const { folder } = parts;
    this.#queue = new NumberedFiles(join(folder, 'queue'));
    this.#crashes = new NumberedFiles(join(folder, 'crashes'));
    this.#hangs = new NumberedFiles(join(folder, 'hangs'));
  }

  /** Figures of this start. */
  get stats(): AflStats {
    const executions = this.#stats.executions - (this.#executionsBefore ?? 0);
    return { ...this.#stats, executions: Math.max(executions, 0) };
  }

  /** Of its process, as it wrote it last; 0: not known. */
  get pid(): number {
    return this.#pid;
  }

  async look(isLast: boolean): Promise<Brought> {
    this.#executionsBefore ??= readFuzzerStats(
      textOf(await readPlainStart(this.parts.statsBefore, mostStatsBytes)),
    ).executions;
    await this.#takeArtifacts(isLast);
    const brought = await this.#takeInputs(isLast);
    await this.#readStats();
    return brought;
  }

  async #takeArtifacts(isLast: boolean): Promise<void> {
    const { artifacts } = this.parts.to;
    for (const kind of ['crash', 'timeout'] as const) {
      const isSuspect = kind === 'timeout';
      const files = isSuspect ? this.#hangs : this.#crashes;
      for (const file of await files.fresh(isLast)) {
        const input = await readPlainFile(file.path);
        if (!input) continue;
        const name = artifactName(kind, input);
        // Moved: AFL++ never reads it again, and a later look must not count it twice.
        await moveFile(file.path, join(artifacts, name));
        const folder = isSuspect ? 'hangs' : 'crashes';
        const text = `AFL++ kept this input as ${this.parts.name}/${folder}/${file.name}\n`;
        this.parts.onArtifact({
          name,
          isSuspect,
          output: [{ bytes: Buffer.from(text), omittedBytes: 0 }],
        });
      }
    }
  }

  async #takeInputs(isLast: boolean): Promise<Brought> {
    const inputs: string[] = [];
    let inputBytes = 0;
    for (const file of await this.#queue.fresh(isLast)) {
      this.#countFrom(file.name);
      // Finds of a start before have the name that they had then behind "orig:".
      if (/,sync:|,orig:(?!id:)/.test(file.name)) continue;
      const input = await readPlainFile(file.path);
      if (!input) continue;
      const name = sha1Of(input);
      if (!(await shareFile(file.path, join(this.parts.to.corpus, name)))) continue;
      inputs.push(name);
      inputBytes += input.length;
    }
    return { inputs, inputBytes };
  }

  /** In the first minute the names of finds are all that shows the executions. */
  #countFrom(fileName: string): void {
    const executions = Number(/,execs:(\d{1,15})/.exec(fileName)?.[1] ?? 0);
    this.#stats = largest(this.#stats, { ...noStats, executions });
  }

  async #readStats(): Promise<void> {
    const stats = join(this.parts.folder, 'fuzzer_stats');
    if (await this.#hasChanged(stats)) {
      const text = textOf(await readPlainStart(stats, mostStatsBytes));
      this.#stats = largest(this.#stats, readFuzzerStats(text));
      this.#pid = Number(/^fuzzer_pid *: *(\d{1,10})/m.exec(text)?.[1] ?? 0);
    }
    const plot = join(this.parts.folder, 'plot_data');
    if (await this.#hasChanged(plot)) {
      const [header = ''] = textOf(await readPlainStart(plot, plotTailBytes)).split('\n');
      const tail = textOf(await readPlainEnd(plot, plotTailBytes));
      this.#stats = largest(this.#stats, readPlotData(header, tail));
    }
  }

  async #hasChanged(path: string): Promise<boolean> {
    const found = await plainFile(path);
    if (!found) return false;
    const state = `${found.mtimeMs} ${found.size}`;
    if (this.#files.get(path) === state) return false;
    this.#files.set(path, state);
    return true;
  }
}

const textOf = (bytes: Buffer | undefined): string => bytes?.toString('latin1') ?? '';
