import { Command, Option } from 'commander';
import { thenEnd } from './left-behind.js';

export function masterCommand(): Command {
  return new Command('master')
    .summary('run the master')
    .description(
      'Runs the master: queues jobs, assigns them to bots, stores crashes and results.\n\n' +
        'Without a configuration it listens on 127.0.0.1:50051 (gRPC) and 127.0.0.1:50052\n' +
        '(/metrics, /healthz, /readyz) and keeps its data in ./data. Every setting can also\n' +
        'come from the environment: PANDAFUZZ_DATA_DIRECTORY is data.directory.',
    )
    .addOption(new Option('-c, --config <file>', 'settings (master.yaml lists them all)'))
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  $ pandafuzz master\n' +
        '  $ pandafuzz master --config master.yaml\n' +
        '  $ PANDAFUZZ_AUTH_MODE=on pandafuzz master      calls need tokens: data/admin.token is the first\n',
    )
    .action(async (options: { config?: string }) => {
      // Loaded here, so that other commands start without the master's modules.
      const { runMaster } = await import('../app.js');
      process.exitCode = await thenEnd(runMaster(options.config));
    });
}
