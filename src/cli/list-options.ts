import { type Command, Option } from 'commander';
import type { ListFlags } from '../operator/listing.js';
import { formats, listFormats } from '../operator/output.js';
import { limitOption, type OperatorFlags, withOperatorFlags } from './flags.js';
import { since } from './group-options.js';

/** Options of every command that lists things, and of every one that shows a thing. */

export type ListCommandFlags = OperatorFlags & ListFlags;

export const aboutLists = `
On a terminal a list fits its width: some columns are left out, and long names are
shortened. Ids are as short as tells them apart, and may be given so. -o wide has every
column and whole ids; json, jsonl (a line each) and yaml have all there is. --sort puts
the first 1000 of the list in order, or --limit of them; it says so where there are more.`;

/** `--since`: a time, or how long ago. */
export const sinceOption = (about: string): Option =>
  new Option('--since <time>', `${about}: 2d, 12h, or 2030-01-31T22:00Z`).argParser(since);

/**
 * `--limit`, `-o`, `--sort` and `--reverse`, and those of every operator's command.
 *
 * @param sorts what the list can be put in order by; without any there is no `--sort`
 */
export function withListFlags(command: Command, sorts: Readonly<Record<string, unknown>>): Command {
  const names = Object.keys(sorts);
  if (names.length > 0) {
    command.addOption(
      new Option(
        '--sort <column>',
        'other order: the largest, latest or first by letters first',
      ).choices(names),
    );
  }
  command
    .addOption(new Option('--reverse', 'the last first'))
    .addOption(limitOption())
    .addOption(
      new Option('-o, --output <format>', 'what is printed').choices(listFormats).conflicts('json'),
    );
  return withOperatorFlags(command);
}

/** `-o json` and `-o yaml`, and the options of every operator's command. */
export function withShowFlags(command: Command): Command {
  command.addOption(
    new Option('-o, --output <format>', 'what is printed').choices(formats).conflicts('json'),
  );
  return withOperatorFlags(command);
}
