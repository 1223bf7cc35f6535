import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  addressesWord,
  durationWithin as durationWord,
  sizeWithin as sizeWord,
  type WordReader,
} from '../config/quantities.js';
import { projectName, projectNameRule } from '../core/project.js';

/** Options that several commands share, and their parsers. */

export interface OperatorFlags {
  readonly master: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly json?: boolean;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export const defaultMaster = '127.0.0.1:50051';

function masterOption(): Option {
  return new Option('--master <host:port>', 'where the master listens')
    .env('PANDAFUZZ_MASTER')
    .default(defaultMaster)
    .argParser(masterText);
}

export function masterText(text: string): string {
  if (addressesWord.read(text)) return text;
  if (/^https?:/.test(text)) {
    throw new InvalidArgumentError(
      'It must be HOST:PORT alone; --ca FILE is for a master with TLS.',
    );
  }
  throw new InvalidArgumentError(
    'It must be HOST:PORT, such as 127.0.0.1:50051 or [::1]:50051, or several with commas.',
  );
}

/** The files for TLS; each has a variable of the same name. */
export function withTlsOptions(command: Command): Command {
  return command
    .option('--ca <file>', 'speak TLS: the CA of the master, or "public"; or PANDAFUZZ_CA')
    .option('--cert <file>', 'certificate for a master that asks for one; or PANDAFUZZ_CERT')
    .option('--key <file>', 'its private key; or PANDAFUZZ_KEY');
}

/** `--master`, `--token-file`, files for TLS, `--timeout` and `--json`, for every command that calls a master. */
export function withOperatorFlags(command: Command): Command {
  command
    .addOption(masterOption())
    .addOption(
      new Option('--token-file <file>', 'file with the token to call with, or PANDAFUZZ_TOKEN'),
    );
  return withTlsOptions(command)
    .addOption(
      new Option('--timeout <duration>', 'time one call may take')
        .argParser(durationWithin('1ms', '24h'))
        .default(15_000, '15s'),
    )
    .option('--json', 'print JSON for scripts');
}

/** Reads "10m" as milliseconds. */
export const durationWithin = (min: string, max: string) => reader(durationWord({ min, max }));

/** Reads "2GiB" as bytes. */
export const sizeWithin = (min: string, max: string) => reader(sizeWord({ min, max }));

function reader<Value>({ expected, read }: WordReader<Value>) {
  return (text: string): Value => {
    const value = read(text);
    if (value !== undefined) return value;
    throw new InvalidArgumentError(`It must be ${expected}.`);
  };
}

export function wholeWithin(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** An option that takes a duration, as milliseconds. */
export const durationOption = (flag: string, about: string, min: string, max: string) =>
  new Option(`${flag} <duration>`, about).argParser(durationWithin(min, max));

/** An option that takes a size, as bytes. */
export const sizeOption = (flag: string, about: string, min: string, max: string) =>
  new Option(`${flag} <size>`, about).argParser(sizeWithin(min, max));

/** An option that takes a whole number. */
export const wholeOption = (flag: string, about: string, min: number, max: number) =>
  new Option(`${flag} <number>`, about).argParser(wholeWithin(min, max));

/** Reads a time by ISO 8601. */
export function moment(text: string): Date {
  const time = new Date(text);
  if (/^\d{4}-\d\d-\d\d(T|$)/.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('It must be a time such as 2030-01-31T22:00Z.');
}

/** Reads KEY=VALUE, once or several times, into one object. */
export function pair(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be KEY=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** A value that may be given several times, in its order. */
export const several = (text: string, before: readonly string[] = []): string[] => [
  ...before,
  text,
];

/** Reads the name of a project. */
export function projectText(text: string): string {
  if (projectName.test(text)) return text;
  throw new InvalidArgumentError(`It ${projectNameRule}.`);
}

/** `--project`, which PANDAFUZZ_PROJECT sets for all commands. */
export function projectOption(about: string): Option {
  const option = new Option('--project <name>', about).argParser(projectText);
  const usual = process.env['PANDAFUZZ_PROJECT'];
  // Not by env(): options that go without a project would be said to conflict with it.
  return usual ? option.default(usual, `${usual}, by PANDAFUZZ_PROJECT`) : option;
}

/**
 * Parts of the operands before and behind "--", as commander itself does not tell them apart:
 * without a target the first argument of the engine would become one.
 */
export function aroundDashes(operands: readonly string[]): { before: string[]; behind: string[] } {
  const dashes = process.argv.indexOf('--');
  const count = dashes === -1 ? 0 : process.argv.length - dashes - 1;
  const at = operands.length - count;
  return { before: operands.slice(0, at), behind: operands.slice(at) };
}

export function limitOption(): Option {
  return new Option('--limit <number>', 'show at most this many')
    .argParser(wholeWithin(1, 1_000_000))
    .default(100);
}
