import { secretNamed, secretsIn } from '../../core/secret-names.js';

/** Takes output as it comes, and what it has held back at the end. */
export interface Sink {
  push(chunk: Buffer): void;
  end(): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A value of a secret as its bytes, one character each, and what stands in its place. */
interface Cut {
  readonly value: string;
  readonly mark: string;
}

/**
 * The secrets of one run. Its job names them; here alone, where its programs are started, names
 * become values, and values in what the programs print become names again.
 */
export class RunSecrets {
  /** The longest first: one may be part of another. */
  readonly #cuts: readonly Cut[];

  constructor(private readonly values: Readonly<Record<string, string>>) {
    this.#cuts = Object.entries(values)
      .map(([name, value]) => ({ value: bytesOf(value), mark: `[secret ${name}]` }))
      .sort((a, b) => b.value.length - a.value.length);
  }

  /** Variables with a value of their own, and those whose value is a secret. */
  apart(environment: Environment): { plain: Environment; hidden: Record<string, string> } {
    const plain: Record<string, string | undefined> = {};
    const hidden: Record<string, string> = {};
    for (const [variable, value] of Object.entries(environment)) {
      const name = value === undefined ? undefined : secretNamed(value);
      const isOurs = name !== undefined && Object.hasOwn(this.values, name);
      const secret = isOurs ? this.values[name] : undefined;
      if (secret === undefined) plain[variable] = value;
      else hidden[variable] = secret;
    }
    return { plain, hidden };
  }

  /** The text without their values. */
  cut(text: string): string {
    if (this.#cuts.length === 0) return text;
    return Buffer.from(this.#replaced(bytesOf(text)), 'latin1').toString('utf8');
  }

  /** Passes output on without their values, also where a value comes in two chunks. */
  cutter(onOutput: (chunk: Buffer) => void): Sink {
    if (this.#cuts.length === 0) return { push: onOutput, end: () => {} };
    let held = '';
    const pass = (text: string) => {
      if (text !== '') onOutput(Buffer.from(text, 'latin1'));
    };
    return {
      push: (chunk) => {
        const text = this.#replaced(held + chunk.toString('latin1'));
        const count = this.#beginningAtEnd(text);
        held = text.slice(text.length - count);
        pass(text.slice(0, text.length - count));
      },
      end: () => {
        pass(held);
        held = '';
      },
    };
  }

  #replaced(text: string): string {
    return this.#cuts.reduce((left, { value, mark }) => left.replaceAll(value, () => mark), text);
  }

  /** Length of the longest end of the text with which a value may begin. */
  #beginningAtEnd(text: string): number {
    let longest = 0;
    for (const { value } of this.#cuts) {
      for (let count = Math.min(value.length - 1, text.length); count > longest; count--) {
        if (text.endsWith(value.slice(0, count))) longest = count;
      }
    }
    return longest;
  }
}

/** Of a run that an earlier process of the bot began: its values are not on disk. */
class LostSecrets extends RunSecrets {
  override cut(text: string): string {
    return text === '' ? '' : '[left out: the run had secrets, which are not known any more]';
  }

  override cutter(): Sink {
    return { push: () => {}, end: () => {} };
  }
}

export const noSecrets = new RunSecrets({});
const lostSecrets = new LostSecrets({});

/** What a run that was left behind is looked at with. */
export const secretsLeftBy = (environment: Readonly<Record<string, string>>): RunSecrets =>
  secretsIn(environment).length === 0 ? noSecrets : lostSecrets;

/** Names under which hidden values pass through what stands before the engine. */
export const outerName = (index: number): string => `PANDAFUZZ_SECRET_${index + 1}`;

export const outer = (hidden: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.values(hidden).map((value, index) => [outerName(index), value]));

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
