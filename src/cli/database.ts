import { Command } from 'commander';
import type { MoveFlags } from '../backup/move.js';

const about = `
FROM and TO are "sqlite" (pandafuzz.db in data.directory) and a PostgreSQL database: its URL, or
"postgres" for database.url of the settings. A password may be in PGPASSWORD or ~/.pgpass.

Every row is copied in one transaction, read again on both sides and compared; then the copy is
kept. Blobs stay where they are, and leases stay valid: bots may go on meanwhile. If it is
interrupted nothing was moved. The SQLite file that was moved away from is kept under another name,
and a PostgreSQL database as it was.

Run it as the user of the master, on the master's machine, while the master is stopped.

Examples:
  $ pandafuzz database migrate --from sqlite --to postgres://pandafuzz@db.example.org/pandafuzz
  $ pandafuzz database migrate --from postgres --to sqlite --config /etc/pandafuzz/master.yaml`;

export function databaseCommand(): Command {
  const command = new Command('database')
    .summary("move a master's records to another database")
    .description("Acts on a stopped master's database.");
  command
    .command('migrate')
    .summary('move all records from SQLite to PostgreSQL, or back')
    .description('Moves all records of a stopped master from SQLite to PostgreSQL, or back.')
    .requiredOption('--from <database>', 'sqlite, postgres, or a URL')
    .requiredOption('--to <database>', 'sqlite, postgres, or a URL')
    .option('-c, --config <file>', "the master's settings, for data.directory and database.url")
    .option('--json', 'print JSON for scripts')
    .addHelpText('after', about)
    .action(async (flags: MoveFlags) => {
      // Loaded here, so that other commands start without the store's modules.
      const { move } = await import('../backup/move.js');
      await move(flags);
    });
  return command;
}
