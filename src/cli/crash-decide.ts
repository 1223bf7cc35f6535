import { Command } from 'commander';
import {
  mergeGroups,
  setStatus,
  showDecisions,
  splitGroup,
  undoDecision,
} from '../operator/crashes/decide.js';
import { groupStatuses, groupStatusOf } from '../operator/words.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';
import { byOption } from './group-options.js';
import { type ListCommandFlags, sinceOption, withListFlags } from './list-options.js';

/** What people make of groups: it is written down with who did it. */

type Flags = OperatorFlags & { by?: string };

export function crashMergeCommand(): Command {
  const command = new Command('merge')
    .summary('make one group of several')
    .description('Makes one group of several of one target. Later crashes of each fall into it.')
    .argument('<groups...>', 'ids of the groups that go')
    .requiredOption('--into <group>', 'id of the group that stays')
    .addOption(byOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ pandafuzz crash merge 0198c0de-1a2b 0198c0de-3c4d --into 0198c0de-5e6f',
    )
    .action((groups: string[], flags: Flags & { into: string }) => mergeGroups(flags, groups));
  return withOperatorFlags(command);
}

export function crashSplitCommand(): Command {
  const command = new Command('split')
    .summary('take crashes out of their group')
    .description(
      'Takes crashes out of their group into a new one. Later crashes of the same message and\n' +
        'innermost frames with their lines follow them.',
    )
    .argument('<group>', 'id of the group that they leave')
    .argument('<crashes...>', 'ids of the crashes: "pandafuzz crash list --group" shows them')
    .addOption(byOption())
    .addHelpText('after', '\nExample:\n  $ pandafuzz crash split 0198c0de-1a2b 0198c0de-3c4d')
    .action((group: string, crashes: string[], flags: Flags) => splitGroup(flags, group, crashes));
  return withOperatorFlags(command);
}

export function crashUndoCommand(): Command {
  const command = new Command('undo')
    .summary('undo a merge or a split')
    .description('Undoes a merge or a split; the latest of a group first.')
    .argument('<decision>', 'its id: "pandafuzz crash decisions" shows it')
    .addOption(byOption())
    .addHelpText('after', '\nExample:\n  $ pandafuzz crash undo 0198c0de-4d')
    .action((decision: string, flags: Flags) => undoDecision(flags, decision));
  return withOperatorFlags(command);
}

export function crashDecisionsCommand(): Command {
  const command = new Command('decisions')
    .summary('list merges and splits')
    .description('Lists merges and splits, newest first.')
    .option('--group <id>', 'only those from or to this group')
    .addOption(sinceOption('only those of since'))
    .addHelpText('after', '\nExample:\n  $ pandafuzz crash decisions --group 0198c0de-1a')
    .action((flags: ListCommandFlags & { group?: string; since?: Date }) => showDecisions(flags));
  return withListFlags(command, {});
}

const statusExamples = `
new         nobody has looked at it
confirmed   it is a bug
fixed       it is mended; a later build that crashes this way again makes it new
wont-fix    it is a bug that stays
ignored     it is no bug

Examples:
  $ pandafuzz crash status 0198c0de confirmed --note "tracked as #41"
  $ pandafuzz crash status 0198c0de 0198c0df fixed
  $ pandafuzz crash status 0198c0de --note "see also 0198c0df"`;

export function crashStatusCommand(): Command {
  const command = new Command('status')
    .usage('[options] <groups...> [status]')
    .summary("set groups' status and note")
    .description("Sets groups' status and note.")
    .argument('<groups...>', `ids of the groups, and then the status: ${groupStatuses.join(', ')}`)
    .option('--note <text>', 'why, or where it is tracked')
    .option('--fixed-in <sha256>', 'with fixed: the build in which it no longer crashes')
    .addOption(byOption())
    .addHelpText('after', statusExamples)
    .action(
      async (
        words: string[],
        flags: Flags & { note?: string; fixedIn?: string },
        self: Command,
      ) => {
        const last = words.at(-1) ?? '';
        const isStatus = groupStatusOf(last) !== undefined;
        const groups = isStatus ? words.slice(0, -1) : words;
        if (!isStatus && !/^[0-9a-f-]+…?$/i.test(last)) {
          self.error(`error: there is no status '${last}' (there are ${groupStatuses.join(', ')})`);
        }
        if (groups.length === 0) self.error("error: missing required argument 'groups'");
        if (!isStatus && flags.note === undefined) {
          self.error(`error: name a status (${groupStatuses.join(', ')}) or give --note`);
        }
        process.exitCode = await setStatus(flags, groups, isStatus ? last : undefined);
      },
    );
  return withOperatorFlags(command);
}
