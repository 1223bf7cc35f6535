import { constants } from 'node:fs';
import { copyFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { traitsOf } from '../../../core/target-engine.js';
import { readPlainEnd, readPlainFile } from '../../sandbox/plain-file.js';
import { AddedFiles } from '../added-files.js';
import { Arrivals } from '../arrivals.js';
import { moveFile, shareFile } from '../bring-in.js';
import {
  type EngineObserver,
  type EngineProgress,
  type EngineStart,
  noProgress,
  type WrittenArtifact,
} from '../engine.js';
import { artifactName, sha1Of } from '../plain-names.js';
import { reportFile } from './commands.js';
import { blockOf, type HonggfuzzFigures, noFigures, readFigures } from './figures.js';
import { foldersIn, type HonggfuzzFolders } from './folders.js';
import { HonggfuzzLog } from './log.js';

const settledMs = 1000;
const statsTailBytes = 1024;
/** Of the report, its end: far more than the blocks of one look. */
const reportTailBytes = 256 * 1024;

/** Follows one start of honggfuzz: its log for what happens, its files for all the rest. */
export class HonggfuzzObserver implements EngineObserver {
  readonly #log = new HonggfuzzLog();
  readonly #folders: HonggfuzzFolders;
  readonly #inputs: AddedFiles;
  readonly #crashes: AddedFiles;
  readonly #arrivals: Arrivals;
  readonly #own = new Set<string>();
  #ownBytes = 0;
  /** Names of its initial inputs. */
  #began: ReadonlySet<string> | undefined;
  #figures: HonggfuzzFigures = noFigures;

  constructor(
    private readonly start: Pick<EngineStart, 'corpus' | 'artifacts' | 'state' | 'target'>,
    private readonly onArtifact: (artifact: WrittenArtifact) => void,
  ) {
    this.#folders = foldersIn(start.state);
    this.#inputs = new AddedFiles({ folder: this.#folders.output, settledMs });
    this.#crashes = new AddedFiles({ folder: this.#folders.crashes, settledMs });
    this.#arrivals = new Arrivals(start.corpus);
  }

  push(chunk: Buffer): void {
    this.#log.push(chunk);
  }

  end(): void {
    this.#log.end();
  }

  get lastWords(): string {
    return this.#log.lastWords;
  }

  get progress(): EngineProgress {
    const { isFuzzing, isDone, hasPrinted, executions, peakMemoryBytes } = this.#log;
    return {
      ...noProgress,
      executions: Math.max(this.#figures.executions, executions),
      coverage: this.#figures.coverage,
      corpusFiles: this.#figures.corpusFiles,
      corpusBytes: this.#ownBytes,
      peakMemoryBytes,
      isFuzzing,
      isDone,
      isSilent: !hasPrinted,
      newInputs: this.#own.size,
    };
  }

  async collect(isLast: boolean): Promise<void> {
    await this.#takeCrashes(isLast);
    await this.#takeInputs(isLast);
    const stats = await readPlainEnd(this.#folders.stats, statsTailBytes);
    const figures = readFigures(stats?.toString('latin1') ?? '');
    if (figures.executions >= this.#figures.executions) this.#figures = figures;
    if (!isLast) await this.#bringArrivals();
  }

  async #takeCrashes(isLast: boolean): Promise<void> {
    const fresh = await this.#crashes.fresh(isLast);
    if (fresh.length === 0) return;
    const report = await this.#report();
    for (const { name, path } of fresh) {
      const input = await readPlainFile(path);
      if (!input || input.length === 0) continue;
      const isSuspect = name.startsWith('SIGVTALRM.');
      const artifact = artifactName(isSuspect ? 'timeout' : 'crash', input);
      await moveFile(path, join(this.start.artifacts, artifact));
      // It passes over a crash whose file is there: one hang of a kind is enough.
      if (isSuspect) await writeFile(path, '', { flag: 'wx' }).catch(() => {});
      else this.#crashes.forget(name);
      const text = `honggfuzz kept this input as ${name}\n${blockOf(report, name)}`;
      const output = [{ bytes: Buffer.from(text), omittedBytes: 0 }];
      this.onArtifact({ name: artifact, isSuspect, output });
    }
  }

  /** Of a target with a sanitizer a replay says more, and names functions. */
  async #report(): Promise<string> {
    const traits = await traitsOf(this.start.target).catch(() => undefined);
    if (traits?.marks.has('asan')) return '';
    const tail = await readPlainEnd(reportFile(this.#folders.work), reportTailBytes);
    return tail?.toString('latin1') ?? '';
  }

  async #takeInputs(isLast: boolean): Promise<void> {
    for (const { path } of await this.#inputs.fresh(isLast)) {
      const input = await readPlainFile(path);
      if (!input || input.length === 0) continue;
      const name = sha1Of(input);
      if (!(await shareFile(path, join(this.start.corpus, name)))) continue;
      this.#own.add(name);
      this.#ownBytes += input.length;
    }
  }

  /** Copies: it deletes what it has read, and what is in the folder must be whole. */
  async #bringArrivals(): Promise<void> {
    const fresh = await this.#arrivals.look();
    this.#began ??= new Set(await readdir(this.#folders.inputs).catch(() => []));
    for (const name of fresh) {
      if (this.#own.has(name) || this.#began.has(name)) continue;
      const partial = join(this.start.state, 'arriving');
      try {
        await rm(partial, { recursive: true, force: true });
        await copyFile(join(this.start.corpus, name), partial, constants.COPYFILE_EXCL);
        await rename(partial, join(this.#folders.dynamic, name));
      } catch {
        await rm(partial, { force: true }); // it has left the corpus meanwhile, or the disk is full
      }
    }
  }
}
