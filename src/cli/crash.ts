import { Command } from 'commander';
import {
  crashDecisionsCommand,
  crashMergeCommand,
  crashSplitCommand,
  crashStatusCommand,
  crashUndoCommand,
} from './crash-decide.js';
import { crashDownloadCommand } from './crash-download.js';
import { crashExportCommand } from './crash-export.js';
import { crashGetCommand } from './crash-get.js';
import { crashListCommand } from './crash-list.js';
import { crashReportCommand } from './crash-report.js';
import {
  crashMinimiseCommand,
  crashRegroupCommand,
  crashReproduceCommand,
  crashVerifyCommand,
} from './crash-work.js';

export function crashCommand(): Command {
  return new Command('crash')
    .summary('list, show, report and judge crashes')
    .description(
      'Lists, shows and downloads crashes in groups, one for each cause; takes decisions over ' +
        'groups, and has crashes reproduced and minimised. Ids may be shortened.',
    )
    .addCommand(crashListCommand())
    .addCommand(crashGetCommand())
    .addCommand(crashDownloadCommand())
    .addCommand(crashExportCommand())
    .addCommand(crashReportCommand())
    .addCommand(crashStatusCommand())
    .addCommand(crashMergeCommand())
    .addCommand(crashSplitCommand())
    .addCommand(crashUndoCommand())
    .addCommand(crashDecisionsCommand())
    .addCommand(crashReproduceCommand())
    .addCommand(crashMinimiseCommand())
    .addCommand(crashVerifyCommand())
    .addCommand(crashRegroupCommand());
}
