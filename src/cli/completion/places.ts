import type { Argument, Command, Option } from 'commander';
import type { NameKind } from '../../operator/names.js';

/** What can be completed, read from the commands themselves. */

export interface Word {
  readonly text: string;
  /** A few words for people; empty: none. */
  readonly about: string;
}

/** What a value or an operand is: a file, a name that the master knows, one of some words, or any text. */
export type Wanted = 'files' | 'text' | { names: NameKind } | { words: readonly string[] };

/** A command, and what may follow it. */
export interface Place {
  /** Names of the commands that lead there, "job list"; empty: the program itself. */
  readonly at: string;
  readonly aliases: readonly string[];
  readonly commands: readonly Word[];
  readonly options: readonly (Word & {
    /** The same option by its letter; undefined: it has none. */
    readonly short: string | undefined;
    /** undefined: it takes no value. */
    readonly value: Wanted | undefined;
  })[];
  readonly operand: Wanted;
}

export function placesOf(program: Command): Place[] {
  return below(program, [], []);
}

function below(command: Command, path: readonly string[], aliases: readonly string[]): Place[] {
  const help = command.createHelp();
  const place: Place = {
    at: path.join(' '),
    aliases,
    commands: help.visibleCommands(command).map((one) => ({
      text: one.name(),
      about: shortly(one.summary() || one.description()),
    })),
    options: help.visibleOptions(command).map((option) => ({
      text: option.long ?? option.short ?? '',
      short: option.long ? option.short : undefined,
      about: shortly(option.description),
      value: option.required || option.optional ? wantedAs(option) : undefined,
    })),
    operand: operandOf(command),
  };
  const inner = command.commands.flatMap((one) => below(one, [...path, one.name()], one.aliases()));
  return [place, ...inner];
}

const kinds: readonly (readonly [RegExp, NameKind])[] = [
  [/^jobs?$/, 'job'],
  [/^bots?$|^id or name$/, 'bot'],
  [/^campaigns?$/, 'campaign'],
  [/^(crash-or-group|crashes-or-groups|groups?)$/, 'group'],
];

const named = (name: string): NameKind | undefined =>
  kinds.find(([pattern]) => pattern.test(name))?.[1];

const isFile = (name: string) => /^(file|folder|path|sources|engine-arguments)$/.test(name);

/** Options whose value is a name that the master knows, by what they are called. */
const ofOptions: Readonly<Record<string, NameKind>> = {
  '--target': 'target',
  '--campaign': 'campaign',
  '--project': 'project',
  '--group': 'group',
  '--job': 'job',
  '--bot': 'bot',
};

function wantedAs({ long = '', flags, argChoices }: Option): Wanted {
  if (argChoices) return { words: argChoices };
  const [, name = ''] = /[<[]([^>\]]*)/.exec(flags) ?? [];
  if (isFile(name)) return 'files';
  const names = ofOptions[long] ?? named(name);
  return names ? { names } : 'text';
}

function operandOf(command: Command): Wanted {
  const [first] = command.registeredArguments;
  if (!first) return 'text';
  const name = first.name();
  // Of what is fuzzed, the executable is given; of what is known already, its name.
  if (/^targets?$/.test(name)) return isKnown(command) ? { names: 'target' } : 'files';
  if (isFile(name)) return 'files';
  return wantedBy(first);
}

const isKnown = ({ parent }: Command) => /^(target|corpus)$/.test(parent?.name() ?? '');

function wantedBy(argument: Argument): Wanted {
  if (argument.argChoices) return { words: argument.argChoices };
  const names = named(argument.name());
  return names ? { names } : 'text';
}

/** As much of a help text as stands beside a word. */
function shortly(about: string): string {
  const [first = ''] = about.replaceAll(/\s+/g, ' ').split(/: |; | \(default/);
  return first.length > 70 ? `${first.slice(0, 69)}…` : first;
}
