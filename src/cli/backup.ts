import { Command } from 'commander';
import { fetchBackup } from '../operator/backup.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

const examples = `
The blobs (targets, seeds, corpora, crash inputs) are files in the master's data folder,
under blobs/, that never change: copy them with any tool, after the database.

To restore a copy, stop the bots and the master, replace pandafuzz.db in its data folder
by the copy, remove pandafuzz.db-wal and pandafuzz.db-shm, and start them again.

Example:
  $ pandafuzz backup pandafuzz-backup.db`;

export function backupCommand(): Command {
  const command = new Command('backup')
    .summary("download a consistent copy of the master's database")
    .description(
      "Downloads a consistent, checked copy of the master's database, beside running work.",
    )
    .argument('<file>', 'where to write it')
    .option('-f, --force', 'replace the file if it is there')
    .addHelpText('after', examples)
    .action((file: string, flags: OperatorFlags & { force?: boolean }) => fetchBackup(flags, file));
  return withOperatorFlags(command);
}
