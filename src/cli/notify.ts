import { Command } from 'commander';
import type { OperatorFlags } from './flags.js';
import { withShowFlags } from './list-options.js';

const examples = `
Examples:
  $ pandafuzz notify list
  $ pandafuzz notify test chat       exit code 0: it came; 1: it did not, and why`;

export function notifyCommand(): Command {
  return new Command('notify')
    .summary('show and test where notifications go')
    .description(
      'Shows the destinations of notifications, which master.yaml has (notifications), and\n' +
        'sends a test to one.',
    )
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(testCommand())
    .addHelpText('after', examples);
}

function listCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .summary('list destinations (the default)')
    .description('Lists the destinations, what each is sent, and whether that works.')
    .action(async (flags: OperatorFlags) => {
      const { showDestinations } = await import('../operator/notify.js');
      await showDestinations(flags);
    });
  return withShowFlags(command);
}

function testCommand(): Command {
  const command = new Command('test')
    .summary('send a test message')
    .description('Has the master send a test message to a destination, once, and says how it went.')
    .argument('<name>', 'name of the destination')
    .action(async (name: string, flags: OperatorFlags) => {
      const { testDestination } = await import('../operator/notify.js');
      process.exitCode = await testDestination(flags, name);
    });
  return withShowFlags(command);
}
