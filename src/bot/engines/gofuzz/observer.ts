import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readPlainFile } from '../../sandbox/plain-file.js';
import { AddedFiles } from '../added-files.js';
import { Arrivals } from '../arrivals.js';
import { writeWhole } from '../bring-in.js';
import {
  type EngineObserver,
  type EngineProgress,
  type EngineStart,
  noProgress,
  type WrittenArtifact,
} from '../engine.js';
import { artifactName, sha1Of } from '../plain-names.js';
import { argumentsOf, hasFlag } from './arguments.js';
import { decode } from './corpus-file.js';
import { cacheOf, failuresIn, foldersIn, readTest } from './folders.js';
import type { FuzzTest } from './fuzz-test.js';
import { GoOutput } from './output.js';

/** Go writes a file in one call. */
const settledMs = 1000;
/** Inputs of other bots wait so long for a start, as each costs a moment, milliseconds. */
const shortestStartMs = 30_000;
/** Go itself reports an input that takes ten seconds; no status line counts on for longer, milliseconds. */
const leastStallMs = 30_000;
const defaultInputSeconds = 25;

const hung = /fuzzing process hung or terminated unexpectedly/;

/** Follows one start of a fuzz test of Go's, by its output and its folders. */
export class GoObserver implements EngineObserver {
  readonly #output = new GoOutput();
  readonly #arrivals: Arrivals;
  readonly #startedAtMs: number;
  readonly #stallMs: number;
  #inputs: AddedFiles | undefined;
  #test: FuzzTest | undefined;
  readonly #own = new Set<string>();
  #ownBytes = 0;
  /** Names in the cache at the beginning. */
  #began: ReadonlySet<string> | undefined;
  #hasArrivals = false;
  #isRestartDue = false;
  #grownAtMs: number;
  #grownTo = 0;
  #note: string | undefined;

  constructor(
    private readonly start: EngineStart,
    private readonly onArtifact: (artifact: WrittenArtifact) => void,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#arrivals = new Arrivals(start.corpus);
    this.#startedAtMs = now();
    this.#grownAtMs = this.#startedAtMs;
    const inputMs = (start.spec.limits?.inputTimeoutSeconds || defaultInputSeconds) * 1000;
    this.#stallMs = Math.max(inputMs, leastStallMs);
  }

  push(chunk: Buffer): void {
    this.#output.push(chunk);
    if (!this.#output.isInstrumented) {
      this.#note =
        'the test binary has no coverage instrumentation, so it is fuzzed blindly: build it with "go test -c -fuzz=."';
    }
  }

  end(): void {
    this.#output.end();
  }

  get lastWords(): string {
    return this.#output.lastWords;
  }

  get note(): string | undefined {
    return this.#note;
  }

  get progress(): EngineProgress {
    const { executions, interesting, total, isFuzzing, isDone, hasPrinted } = this.#output;
    return {
      ...noProgress,
      executions,
      corpusFiles: total,
      corpusBytes: this.#ownBytes,
      isFuzzing,
      isDone,
      isSilent: !hasPrinted,
      newInputs: interesting,
      isRestartDue: this.#isRestartDue,
    };
  }

  async collect(isLast: boolean): Promise<void> {
    const folders = foldersIn(this.start.state);
    this.#test ??= await readTest(folders);
    if (!this.#test) return;
    const folder = cacheOf(folders, this.#test);
    const isOther = (name: string) => this.#isOther(name);
    this.#inputs ??= new AddedFiles({ folder, settledMs, isOther });
    await this.#takeFailures(failuresIn(folders, this.#test), this.#test, isLast);
    await this.#takeInputs(this.#inputs, this.#test, isLast);
    if (!isLast) await this.#lookAhead(folder);
  }

  /** The one input that ended it; Go would run into it at the next start. */
  async #takeFailures(folder: string, { type }: FuzzTest, isLast: boolean): Promise<void> {
    const names = await readdir(folder).catch(() => []);
    // Its report is complete when it has ended.
    if (names.length === 0 || !isLast) return;
    const output = this.#output.takeReport();
    const isSuspect = output.some(({ bytes }) => hung.test(bytes.toString('latin1')));
    for (const name of names) {
      const path = join(folder, name);
      const file = await readPlainFile(path);
      if (!file) continue;
      const input = decode(file, type);
      const artifact = artifactName('crash', input);
      await writeWhole(join(this.start.artifacts, artifact), input);
      await rm(path, { force: true });
      this.onArtifact({ name: artifact, output, isSuspect });
    }
  }

  async #takeInputs(inputs: AddedFiles, { type }: FuzzTest, isLast: boolean): Promise<void> {
    for (const { path } of await inputs.fresh(isLast)) {
      const file = await readPlainFile(path);
      if (!file || file.length === 0) continue;
      const input = decode(file, type);
      const name = sha1Of(input);
      if (await this.#isInCorpus(name)) continue;
      await writeWhole(join(this.start.corpus, name), input);
      this.#own.add(name);
      this.#ownBytes += input.length;
    }
  }

  /** What the bot has laid out has the names of the corpus, or those of seeds. */
  async #isOther(name: string): Promise<boolean> {
    return name.startsWith('seed-') || this.#isInCorpus(name);
  }

  #isInCorpus(name: string): Promise<boolean> {
    return stat(join(this.start.corpus, name)).then(
      () => true,
      () => false,
    );
  }

  /** Go reads inputs of others at its start only, and an input may hold up all of it. */
  async #lookAhead(cache: string): Promise<void> {
    const fresh = (await this.#arrivals.look()).filter((name) => !this.#own.has(name));
    this.#began ??= new Set(await readdir(cache).catch(() => []));
    const began = this.#began;
    this.#hasArrivals ||= fresh.some((name) => !began.has(name));
    const nowMs = this.now();
    if (this.#output.executions > this.#grownTo || !this.#output.isFuzzing) {
      this.#grownTo = this.#output.executions;
      this.#grownAtMs = nowMs;
    }
    const isLong = nowMs - this.#startedAtMs >= shortestStartMs;
    const isCounted = hasFlag(argumentsOf(this.start.spec), 'fuzztime');
    this.#isRestartDue ||= this.#hasArrivals && isLong && this.#output.isFuzzing && !isCounted;
    if (nowMs - this.#grownAtMs < this.#stallMs) return;
    this.#isRestartDue = true;
    const seconds = Math.round(this.#stallMs / 1000);
    this.#note = `it executed nothing for ${seconds} s, and was started again: an input seems to hang, which Go does not name`;
  }
}
