import { type Command, Option } from 'commander';
import { withOperatorFlags } from './flags.js';

const aboutTarget = 'name of the target, as "pandafuzz corpus list" shows it';

/** A command about the corpus of one target. */
export function ofCorpus(command: Command): Command {
  return withOperatorFlags(
    command
      .argument('<target>', aboutTarget)
      .addOption(
        new Option('--project <name>', 'project of the target')
          .env('PANDAFUZZ_PROJECT')
          .default('default'),
      ),
  );
}
