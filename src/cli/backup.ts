import { Command } from 'commander';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

const about = `
The folder appears when it is complete, checked and on disk; until then its name ends in
".unfinished". It holds the database (pandafuzz.db), the blobs (blobs/: targets, seeds, corpora,
crash inputs) and a manifest (backup.json). Blobs never change: on the master's machine they are
hard links where the file system is the same, and copies otherwise; from another machine they are
downloaded, and so they are where the master keeps them in S3 (blobs.url): --database-only then
leaves them in the bucket. "pandafuzz restore" checks a backup and puts it back.

If the master itself has lost blobs, they are listed, and the exit code is 65; the backup has
everything else.

Examples:
  $ pandafuzz backup /backup/$(date +%F)
  $ pandafuzz backup --database-only pandafuzz-$(date +%F).db`;

interface BackupFlags extends OperatorFlags {
  readonly databaseOnly?: boolean;
  readonly force?: boolean;
}

export function backupCommand(): Command {
  const command = new Command('backup')
    .summary("take a consistent copy of the master's database and blobs")
    .description(
      "Takes a consistent, checked copy of the master's database and blobs, beside running work.",
    )
    .argument('<folder>', 'where to write it: a new folder, or an empty one')
    .option('--database-only', 'write the database alone, to a file of this name')
    .option('-f, --force', 'with --database-only, replace the file if it is there')
    .addHelpText('after', about)
    .action(async (path: string, flags: BackupFlags) => {
      if (flags.force && !flags.databaseOnly) {
        command.error('--force goes with --database-only: name a new folder for each backup');
      }
      // Loaded here, so that other commands start without the store's modules.
      if (flags.databaseOnly) {
        const { fetchDatabase } = await import('../backup/database-only.js');
        await fetchDatabase(flags, path);
      } else {
        const { backUp } = await import('../backup/backup.js');
        await backUp(flags, path);
      }
    });
  return withOperatorFlags(command);
}
