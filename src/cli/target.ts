import { Command } from 'commander';
import { targetSorts } from '../operator/sorts.js';
import { importTargets } from '../operator/targets/import.js';
import { showTarget, showTargets } from '../operator/targets/show.js';
import { type OperatorFlags, projectOption, withOperatorFlags } from './flags.js';
import { aboutLists, type ListCommandFlags, withListFlags, withShowFlags } from './list-options.js';

type Flags = OperatorFlags & { project?: string };

export function targetCommand(): Command {
  return new Command('target')
    .summary('bring in builds of targets, list and show them')
    .description(
      'Brings in builds of targets, lists and shows them. A target is a name in a project; jobs\n' +
        'register the builds that they bring by themselves.',
    )
    .addCommand(importCommand())
    .addCommand(listCommand())
    .addCommand(getCommand());
}

const importExamples = `
Each fuzzer of the build output becomes a target of its name, with a bundle of
its own: what lies beside it, but not the other fuzzers. Nothing is queued.

Examples:
  $ pandafuzz target import ./out --project libpng
  $ pandafuzz job submit --target png_fuzzer --project libpng`;

function importCommand(): Command {
  const command = new Command('import')
    .summary('bring in all fuzzers of a build output')
    .description('Brings in all fuzzers of a build output, as OSS-Fuzz makes them.')
    .argument('<path>', 'a folder, .tar, .tar.gz or .zip')
    .addOption(projectOption('namespace of the targets (default: "default")'))
    .option('--engine <name>', 'fuzzing engine (default: what each is built for)')
    .option('--no-check', 'send them without a look at them')
    .addHelpText('after', importExamples)
    .action(async (path: string, flags: Flags & { engine?: string; check: boolean }) => {
      process.exitCode = await importTargets(flags, path);
    });
  return withOperatorFlags(command);
}

function listCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .summary('list targets with their newest builds')
    .description('Lists targets with their newest builds, by project and name.')
    .addOption(projectOption('only targets of this project'))
    .option('--engine <name>', 'only targets whose newest build is for this engine')
    .addHelpText('after', `${aboutLists}\n\nExample:\n  $ pandafuzz target list --sort registered`)
    .action((flags: ListCommandFlags & { project?: string; engine?: string }) =>
      showTargets(flags),
    );
  return withListFlags(command, targetSorts);
}

function getCommand(): Command {
  const command = new Command('get')
    .summary('show the builds of a target')
    .description('Shows the builds of a target, newest first.')
    .argument('<target>', 'its name')
    .addOption(projectOption('its project (default: "default")'))
    .action((target: string, flags: Flags) => showTarget(flags, target));
  return withShowFlags(command);
}
