import { Command } from 'commander';
import { regroupCrashes } from '../operator/crashes/regroup.js';
import { minimise, reproduce, verify } from '../operator/crashes/work.js';
import {
  durationOption,
  type OperatorFlags,
  projectOption,
  wholeOption,
  withOperatorFlags,
} from './flags.js';

/** Commands that have crashes worked on: bots take that as they take any job. */

type Flags = OperatorFlags & { wait?: boolean };
type VerifyFlags = Flags & { project?: string; targetName?: string; bundle?: string };

export function crashReproduceCommand(): Command {
  const command = new Command('reproduce')
    .summary('run inputs again, and count how often they crash')
    .description(
      'Makes jobs that run inputs again: on another bot, where there is one. Prints their ids.',
    )
    .argument('<crashes-or-groups...>', 'ids; of a group, its reproducer')
    .addOption(wholeOption('--runs', "how often (default: the master's crashes.runs)", 1, 1000))
    .option('--wait', 'wait for the results, and show them')
    .addHelpText(
      'after',
      '\nExamples:\n  $ pandafuzz crash reproduce 0198c0de --runs 20 --wait\n' +
        '  $ pandafuzz crash get 0198c0de                     what came of it',
    )
    .action(async (ids: string[], flags: Flags & { runs?: number }) => {
      process.exitCode = await reproduce(flags, ids);
    });
  return withOperatorFlags(command);
}

export function crashMinimiseCommand(): Command {
  const command = new Command('minimise')
    .alias('minimize')
    .summary('look for smaller inputs')
    .description('Makes jobs that look for a smaller input of the same group. Prints their ids.')
    .argument('<crashes-or-groups...>', 'ids; of a group, its reproducer')
    .addOption(
      durationOption(
        '--time',
        "longest time for each (default: the master's crashes.minimise_time)",
        '1s',
        '24h',
      ),
    )
    .option('--wait', 'wait for the results, and show them')
    .addHelpText('after', '\nExample:\n  $ pandafuzz crash minimise 0198c0de --time 5m --wait')
    .action(async (ids: string[], flags: Flags & { time?: number }) => {
      process.exitCode = await minimise(flags, ids);
    });
  return withOperatorFlags(command);
}

const verifyExamples = `
Groups that no longer crash in the build become fixed.

Examples:
  $ pandafuzz crash verify ./png_fuzzer --wait
  $ pandafuzz crash verify --bundle ./out png_fuzzer --wait
  $ pandafuzz crash verify ./new_build --target-name png_fuzzer --project png`;

export function crashVerifyCommand(): Command {
  const command = new Command('verify')
    .summary('try the reproducers on another build')
    .description("Makes a job that tries the reproducers of a target's groups on a build of it.")
    .argument(
      '[target]',
      'the build: an executable, or the SHA-256 of one that is uploaded; with --bundle, its path in the bundle',
    )
    .option('--bundle <path>', 'a folder or an archive with the executable in it')
    .addOption(projectOption('project of the target'))
    .option('--target-name <name>', "the target's name across builds (default: its file name)")
    .option('--wait', 'wait for the results, and show which groups are fixed')
    .addHelpText('after', verifyExamples)
    .action(async (target: string | undefined, flags: VerifyFlags) => {
      if (target === undefined && flags.bundle === undefined) {
        command.error('error: name the build: an executable, a SHA-256, or a bundle (--bundle)');
      }
      process.exitCode = await verify(flags, target ?? '');
    });
  return withOperatorFlags(command);
}

export function crashRegroupCommand(): Command {
  const command = new Command('regroup')
    .summary('read all reports again, and group anew')
    .description(
      "Reads all reports again and groups crashes anew, with people's merges and splits kept: as\n" +
        'after a change of crashes.passed_over in master.yaml.',
    )
    .option('--dry-run', 'only show what would move')
    .addHelpText('after', '\nExample:\n  $ pandafuzz crash regroup --dry-run')
    .action((flags: OperatorFlags & { dryRun?: boolean }) => regroupCrashes(flags));
  return withOperatorFlags(command);
}
