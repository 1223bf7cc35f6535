import { Command } from 'commander';
import { crashDownloadCommand } from './crash-download.js';
import { crashGetCommand } from './crash-get.js';
import { crashListCommand } from './crash-list.js';

export function crashCommand(): Command {
  return new Command('crash')
    .summary('list, show and download crashes')
    .description('List, show and download crashes.')
    .addCommand(crashListCommand())
    .addCommand(crashGetCommand())
    .addCommand(crashDownloadCommand());
}
