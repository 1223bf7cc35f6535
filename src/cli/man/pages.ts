import type { Command } from 'commander';

export interface ManPage {
  /** "pandafuzz-job-list". */
  readonly name: string;
  readonly text: string;
}

interface Edition {
  readonly version: string;
  readonly date: Date;
}

/** A page for the program and each command below it, in the macros of man(7). */
export function manPages(command: Command, edition: Edition, above: string[] = []): ManPage[] {
  const path = [...above, command.name()];
  const page = { name: path.join('-'), text: pageOf(command, path, edition) };
  return [page, ...command.commands.flatMap((one) => manPages(one, edition, path))];
}

function pageOf(command: Command, path: readonly string[], { version, date }: Edition): string {
  const help = command.createHelp();
  const name = path.join('-');
  const about = command.summary() || command.description();
  const day = date.toISOString().slice(0, 10);
  const head = `.TH ${name.toUpperCase()} 1 ${day} "pandafuzz ${version}" "PandaFuzz"`;
  const operands = help.visibleArguments(command).map((one) => ({
    term: `<${one.name()}>`,
    about: help.argumentDescription(one),
  }));
  const options = help.visibleOptions(command).map((one) => ({
    term: help.optionTerm(one),
    about: help.optionDescription(one),
  }));
  const commands = command.commands.map((one) => ({
    term: `${path.join(' ')} ${help.subcommandTerm(one)}`,
    about: help.subcommandDescription(one),
  }));
  const { notes, examples } = further(command);
  const parts = [
    head,
    section('NAME', `${roff(name)} \\- ${roff(firstSentence(about))}`),
    section('SYNOPSIS', line(`${path.join(' ')} ${command.usage()}`)),
    section('DESCRIPTION', paragraphs(command.description())),
    section('COMMANDS', list(commands)),
    section('ARGUMENTS', list(operands)),
    section('OPTIONS', list(options)),
    section('NOTES', asItIs(notes)),
    section('EXAMPLES', asItIs(examples)),
    section('SEE ALSO', seeAlso(command, path)),
  ];
  return `${parts.filter((part) => part !== '').join('\n')}\n`;
}

const section = (title: string, text: string): string =>
  text === '' ? '' : `.SH ${title}\n${text}`;

/** Text in which troff sees no request and no escape. A hyphen of a command is a minus. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('~', '\\(ti')
    .replaceAll('^', '\\(ha');

/** One line of it, which begins no request. */
const line = (text: string): string => roff(text).replace(/^(?=[.'])/, '\\&');

const lines = (text: string): string => text.split('\n').map(line).join('\n');

/** Text that is filled anew, in lines of its source that are not too long. */
const filled = (text: string): string =>
  lines(
    text
      .trim()
      .replaceAll(/\s+/g, ' ')
      .replaceAll(/(?=\S)(.{1,70})( |$)/g, '$1\n')
      .trim(),
  );

/** Lines are filled anew; empty ones part paragraphs. */
const paragraphs = (text: string): string =>
  text
    .trim()
    .split(/\n{2,}/)
    .map(filled)
    .join('\n.PP\n');

/** Lines stand as they are. */
function asItIs(text: string): string {
  const trimmed = text.replace(/^\n+|\n+$/g, '');
  return trimmed === '' ? '' : `.nf\n${lines(trimmed)}\n.fi`;
}

const list = (items: readonly { term: string; about: string }[]): string =>
  items.map(({ term, about }) => `.TP\n\\fB${roff(term)}\\fR\n${filled(about || term)}`).join('\n');

/** What stands in --help below the lists: notes, and then examples. */
function further(command: Command): { notes: string; examples: string } {
  let whole = '';
  const before = command.configureOutput();
  command.configureOutput({ ...before, writeOut: (text) => (whole += text) });
  command.outputHelp();
  command.configureOutput(before);
  const after = whole.slice(
    whole.indexOf(command.helpInformation()) + command.helpInformation().length,
  );
  const at = after.search(/^(Examples?|Begin with one of):$/m);
  if (at === -1) return { notes: after, examples: '' };
  const [, ...rest] = after.slice(at).split('\n');
  const end = rest.findIndex((one) => one !== '' && !one.startsWith(' '));
  const cut = end === -1 ? rest.length : end;
  return {
    notes: after.slice(0, at) + rest.slice(cut).join('\n'),
    examples: rest.slice(0, cut).join('\n'),
  };
}

function seeAlso(command: Command, path: readonly string[]): string {
  const parent = path.length > 1 ? [path.slice(0, -1).join('-')] : [];
  const children = command.commands.map((one) => [...path, one.name()].join('-'));
  return [...parent, ...children].map((name) => `${roff(name)}(1)`).join(',\n');
}

const firstSentence = (text: string): string => text.split('\n')[0]?.replace(/\.$/, '') ?? '';
