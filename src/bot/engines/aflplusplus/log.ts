import { EngineLog } from '../printed-lines.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
const colours = /\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][0-9A-B]|[\x0e\x0f\r]/g;

/** Without colours, which some versions print whatever the environment says. */
export const plainText = (text: string): string => text.replace(colours, '');

/** Lines about its set-up and its progress, and the prose below an error. */
const noise = /^(?:\s*$|\[[*+]\]|afl-fuzz\+\+|\+\+\+|\s{4})/;
const fuzzing = /\bEntering queue cycle \d|\bFuzzing test case #\d|\bAll set and ready to roll/;
const done = /Testing aborted programmatically|Time limit was reached/;
/** Its own names of initial inputs end in the name of the file. */
const seed = /Attempting dry run with 'id:\d+,.*\borig:([^']+)'/;
const badSeed = /\bTest case .*results in a (crash|timeout)/;

/** A seed that AFL++ passes over. */
export interface BadSeed {
  /** Name in the folder of initial inputs. */
  readonly name: string;
  readonly kind: 'crash' | 'timeout';
}

/** Reads what one afl-fuzz prints. */
export class AflLog extends EngineLog {
  #seed = '';
  #badSeeds: BadSeed[] = [];

  /** Removes and returns those that were met since the last call. */
  takeBadSeeds(): BadSeed[] {
    return this.#badSeeds.splice(0);
  }

  protected override read(printed: string): void {
    const line = plainText(printed);
    this.note({ isFuzzing: fuzzing.test(line), isDone: done.test(line), isOwn: true });
    this.#seed = seed.exec(line)?.[1] ?? this.#seed;
    const kind = badSeed.exec(line)?.[1] as BadSeed['kind'] | undefined;
    if (kind && this.#seed) this.#badSeeds.push({ name: this.#seed, kind });
    if (!noise.test(line)) this.keep(line.trim());
  }
}
