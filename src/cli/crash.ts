import { Command } from 'commander';
import { crashDownloadCommand } from './crash-download.js';
import { crashGetCommand } from './crash-get.js';
import { crashListCommand } from './crash-list.js';

export function crashCommand(): Command {
  return new Command('crash')
    .summary('list, look at and download what was found')
    .description('List, look at and download what was found.')
    .addCommand(crashListCommand())
    .addCommand(crashGetCommand())
    .addCommand(crashDownloadCommand());
}
