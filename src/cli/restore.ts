import { Command } from 'commander';
import type { RestoreFlags } from '../backup/restore.js';

const about = `
A backup is a folder of "pandafuzz backup". A copy of a data folder that was made by hand while
no master was running can be restored as well, and the copy of a database alone, if it has the
blobs beside it, in blobs/. Without them, the records of a master whose blobs are in S3 are
restored alone: they need that bucket. A backup with blobs gets them into the data folder, from
where "pandafuzz blobs copy" moves them to a bucket again.

The database is checked (its manifest, SQLite's integrity check, rows that refer to missing
ones), and every blob is compared with its SHA-256. A damaged database is refused. Blobs that are
missing or damaged are listed, and the rest is restored; the exit code is 65 in both cases.

Nothing is put into place before all of it is checked and on disk. Run it as the user of the
master, on the master's machine, while the master is stopped; bots may go on.

Examples:
  $ pandafuzz restore --check /backup/2026-11-27
  $ pandafuzz restore /backup/2026-11-27 --to /var/lib/pandafuzz/data
  $ pandafuzz restore /backup/2026-11-27 --config /etc/pandafuzz/master.yaml --force`;

export function restoreCommand(): Command {
  return new Command('restore')
    .summary("check a backup, and make it a master's data folder")
    .description(
      "Checks a backup and puts it back as the master's data folder. The master that is started\n" +
        'there begins a new epoch: leases that were given out after the backup are refused.',
    )
    .argument('<folder>', 'the backup')
    .option('--to <folder>', "the master's data folder (data.directory of its settings)")
    .option('-c, --config <file>', "the master's settings, for its data.directory")
    .option('--check', 'only check the backup')
    .option('-f, --force', 'move the data that is there aside, under a name with the time')
    .option('--json', 'print JSON for scripts')
    .addHelpText('after', about)
    .action(async (folder: string, flags: RestoreFlags) => {
      // Loaded here, so that other commands start without the store's modules.
      const { restore } = await import('../backup/restore.js');
      await restore(folder, flags);
    });
}
