import { Command } from 'commander';
import { secretSorts } from '../operator/sorts.js';
import { type OperatorFlags, projectOption, withOperatorFlags } from './flags.js';
import { aboutLists, type ListCommandFlags, withListFlags } from './list-options.js';

const examples = `
Examples:
  $ pandafuzz secret set api-key --file api.key
  $ pass show api | pandafuzz secret set api-key --project web
  $ pandafuzz job submit ./fuzzer --env API_KEY=secret:api-key

The value comes from the file or from standard input, without a newline at its end: 8 to 4096 bytes
of UTF-8. No command shows it again.`;

interface NamedFlags extends OperatorFlags {
  readonly project?: string;
}

export function secretCommand(): Command {
  return new Command('secret')
    .summary('set, list and delete secrets of targets')
    .description(
      'Sets, lists and deletes secrets, which jobs and campaigns of a project name in their\n' +
        'environment (--env KEY=secret:NAME). The master keeps them encrypted, by the key in\n' +
        'secrets.key_file.',
    )
    .addCommand(setCommand())
    .addCommand(listCommand())
    .addCommand(deleteCommand());
}

function setCommand(): Command {
  const command = new Command('set')
    .summary('make a secret, or replace its value')
    .description('Makes a secret, or replaces its value for runs that begin later.')
    .argument('<name>', 'name of the secret')
    .addOption(projectOption('project of the secret (default: default)'))
    .option('--file <file>', 'read the value from there instead of standard input')
    .addHelpText('after', examples)
    .action(async (name: string, flags: NamedFlags & { file?: string }) => {
      const { setSecret } = await import('../operator/secrets.js');
      await setSecret(flags, name);
    });
  return withOperatorFlags(command);
}

function listCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .summary('list secrets')
    .description('Lists secrets by project and name, without their values.')
    .addOption(projectOption('only of this project (default: all)'))
    .addHelpText('after', aboutLists)
    .action(async (flags: ListCommandFlags & NamedFlags) => {
      const { showSecrets } = await import('../operator/secrets.js');
      await showSecrets(flags);
    });
  return withListFlags(command, secretSorts);
}

function deleteCommand(): Command {
  const command = new Command('delete')
    .alias('rm')
    .summary('delete secrets')
    .description('Deletes secrets. Jobs that name them cannot begin any more.')
    .argument('<names...>', 'names of the secrets')
    .addOption(projectOption('project of the secrets (default: default)'))
    .action(async (names: string[], flags: NamedFlags) => {
      const { deleteSecrets } = await import('../operator/secrets.js');
      process.exitCode = await deleteSecrets(flags, names);
    });
  return withOperatorFlags(command);
}
