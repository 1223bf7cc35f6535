import { Command } from 'commander';
import { fetchBackup } from '../operator/backup.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

const examples = `
The blobs (targets, seeds, corpora, crash inputs) are files in the master's data folder,
under blobs/, that never change: copy them with any tool, after the database.

To go back to a copy, stop the master, put the copy in place of pandafuzz.db in its
data folder, remove pandafuzz.db-wal and pandafuzz.db-shm, and start it again.

Example:
  $ pandafuzz backup pandafuzz-backup.db`;

export function backupCommand(): Command {
  const command = new Command('backup')
    .summary("bring a consistent copy of the master's database")
    .description("Brings a consistent, checked copy of the master's database, while work goes on.")
    .argument('<file>', 'where to write it')
    .option('-f, --force', 'replace the file if it is there')
    .addHelpText('after', examples)
    .action((file: string, flags: OperatorFlags & { force?: boolean }) => fetchBackup(flags, file));
  return withOperatorFlags(command);
}
