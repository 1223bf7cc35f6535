import { type Command, InvalidArgumentError, Option } from 'commander';
import type { GroupFlags } from '../operator/crashes/filter.js';
import { groupStatuses, groupStatusOf } from '../operator/words.js';
import { durationWithin, moment, projectOption } from './flags.js';

/** Options that say which groups a command is about, and how people name what they decide. */

export const aboutNew = `
--since takes a time (2030-01-31T22:00Z) or how long ago (2d, 12h). With it,
--new means first met since then; without it, of the status new: nobody has
looked at it, or it came back after it was fixed.`;

/** Names of the options as commander has them. */
export const groupOptionNames = ['project', 'target', 'kind', 'status', 'since', 'new', 'text'];

export function withGroupOptions(command: Command): Command {
  return command
    .addOption(projectOption('only groups of this project'))
    .option('--target <name>', 'only groups of this target')
    .option('--kind <kind>', 'only groups of this kind, such as heap-buffer-overflow')
    .addOption(statusOption())
    .addOption(new Option('--since <time>', 'only groups met since').argParser(since))
    .option('--new', 'only groups that are new; see below')
    .option('--text <text>', 'only groups with this text in message, kind, target or frames');
}

const statusOption = () =>
  new Option(
    '--status <status>',
    `only groups with this status: ${groupStatuses.join(', ')}`,
  ).argParser(groupStatus);

/** Reads a status in any of its spellings. */
export function groupStatus(text: string): string {
  if (groupStatusOf(text) !== undefined) return text.toLowerCase();
  throw new InvalidArgumentError(`Allowed choices are ${groupStatuses.join(', ')}.`);
}

const ago = durationWithin('1s', '36500d');

/** Reads a time, or how long ago it was. */
export function since(text: string): Date {
  if (/^\d+(\.\d+)?\s*[a-z]+$/.test(text)) return new Date(Date.now() - ago(text));
  try {
    return moment(text);
  } catch {
    throw new InvalidArgumentError(
      'It must be how long ago, such as 2d, or a time such as 2030-01-31T22:00Z.',
    );
  }
}

export const byOption = (): Option =>
  new Option('--by <name>', 'who decides it (default: user@host)').argParser((text) => {
    if (text.length >= 1 && text.length <= 128) return text;
    throw new InvalidArgumentError('It must be 1 to 128 characters.');
  });

export type { GroupFlags };
