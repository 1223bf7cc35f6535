import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../../core/folders.js';
import type { CoverageTools } from '../../engines/libfuzzer/coverage-tools.js';
import { plainFile } from '../../sandbox/plain-file.js';
import { foldersOf } from '../../sandbox/readable.js';
import type { SandboxExit } from '../../sandbox/sandbox.js';
import type { CrashWorkParts } from '../crashes/parts.js';
import { startSideProcess } from '../side-process.js';

/** Inputs of one start: their paths fit into a command line. */
const inputsAtOnce = 500;
/** Further time for each input of a start, milliseconds, beside that which one may take. */
const moreForEachMs = 200;
/** Between SIGTERM and SIGKILL, milliseconds. */
const stopGraceMs = 500;
/** Of what a tool prints when it fails, its end, characters. */
const mostWords = 1000;

export type CoverageParts = Omit<CrashWorkParts, 'spool'>;

/** Starts a program in the run's sandbox and waits for its end. */
export async function runProgram(
  parts: CoverageParts,
  program: {
    readonly file: string;
    readonly args: readonly string[];
    readonly environment?: Readonly<Record<string, string>>;
    readonly readable?: readonly string[];
    readonly limitMs?: number;
    readonly onText?: (text: string) => void;
  },
): Promise<{ readonly exit: SandboxExit; readonly words: string }> {
  const { file, args, environment = {}, readable = [], limitMs, onText } = program;
  const { folder, output } = parts;
  let words = '';
  const { exited } = await startSideProcess(
    parts,
    { file, args, environment, readable },
    {
      ...{ cwd: folder.work, temporary: folder.temporary, stopGraceMs },
      ...(limitMs !== undefined && { limitMs }),
      onOutput: (chunk) => {
        const text = chunk.toString('utf8');
        words = (words + text).slice(-mostWords);
        if (onText) onText(text);
        else output?.push(chunk);
      },
    },
  );
  const exit = await exited;
  parts.signal.throwIfAborted();
  return { exit, words: words.trim() };
}

/** The profile of all inputs that were run, as one file. */
export interface Profile {
  /** undefined: no input left a profile. */
  readonly path: string | undefined;
  readonly inputs: number;
  /** Inputs that crash or hang the build: it writes no profile then. */
  readonly failedInputs: number;
  /** What llvm-profdata printed when it could not read a profile. */
  readonly unreadable: string;
}

/**
 * Runs a build with every input, many in one start. A start that fails is repeated with each half
 * of its inputs, so that one input that crashes the build costs no other.
 */
export class Batches {
  readonly #profiles: string;
  readonly #merged: string;
  #hasProfile = false;
  #inputs = 0;
  #failed = 0;
  #unreadable = '';

  constructor(
    private readonly parts: CoverageParts,
    private readonly tools: CoverageTools,
  ) {
    this.#profiles = join(parts.folder.path, 'coverage', 'profiles');
    this.#merged = join(parts.folder.path, 'coverage', 'merged.profdata');
  }

  async run(inputs: readonly string[]): Promise<Profile> {
    await makeFolder(this.#profiles);
    for (let at = 0; at < inputs.length && this.#unreadable === ''; at += inputsAtOnce) {
      await this.#runSome(inputs.slice(at, at + inputsAtOnce));
    }
    return {
      path: this.#hasProfile ? this.#merged : undefined,
      inputs: this.#inputs,
      failedInputs: this.#failed,
      unreadable: this.#unreadable,
    };
  }

  async #runSome(inputs: readonly string[]): Promise<void> {
    const { spec, folder } = this.parts;
    const inputMs = (spec.limits?.inputTimeoutSeconds || 25) * 1000;
    const { exit } = await runProgram(this.parts, {
      file: folder.target,
      args: inputs,
      environment: {
        ...spec.environment,
        LLVM_PROFILE_FILE: join(this.#profiles, 'p-%p.profraw'),
      },
      limitMs: inputMs + inputs.length * moreForEachMs,
    });
    const raw = await this.#written();
    // A single input may end the program by itself: its profile counts, if it is whole.
    const isWhole = exit.code === 0 || (inputs.length === 1 && exit.signal === null);
    if (isWhole && raw.length > 0 && (await this.#merge(raw))) this.#inputs += inputs.length;
    else if (inputs.length === 1 || (exit.code === 0 && raw.length === 0)) {
      this.#failed += inputs.length;
    } else if (this.#unreadable === '') {
      await this.#empty();
      const half = Math.ceil(inputs.length / 2);
      await this.#runSome(inputs.slice(0, half));
      await this.#runSome(inputs.slice(half));
      return;
    }
    await this.#empty();
  }

  /** Profiles that are not empty, as that of a process that crashed is. */
  async #written(): Promise<string[]> {
    const paths = (await readdir(this.#profiles)).map((name) => join(this.#profiles, name));
    const found = await Promise.all(paths.map(plainFile));
    return paths.filter((_path, index) => (found[index]?.size ?? 0) > 0);
  }

  async #empty(): Promise<void> {
    await rm(this.#profiles, { recursive: true, force: true });
    await makeFolder(this.#profiles);
  }

  /** @returns whether it could read them */
  async #merge(raw: readonly string[]): Promise<boolean> {
    const { profdata } = this.tools;
    const next = `${this.#merged}.next`;
    const before = this.#hasProfile ? [this.#merged] : [];
    const { exit, words } = await runProgram(this.parts, {
      file: profdata,
      args: ['merge', '-sparse', '-o', next, ...before, ...raw],
      readable: await foldersOf(profdata),
    });
    if (exit.code !== 0) {
      if (!this.#hasProfile) this.#unreadable = words || 'it printed nothing';
      return false;
    }
    await rename(next, this.#merged);
    this.#hasProfile = true;
    return true;
  }
}
