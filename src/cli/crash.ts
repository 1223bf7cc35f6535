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
    .summary('list, look at, bring and judge what was found')
    .description(
      'Lists, shows and downloads what was found, in groups of one cause each, and has it\n' +
        'judged and worked on. Ids may be shortened to what begins no other.',
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
