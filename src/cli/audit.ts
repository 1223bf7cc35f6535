import { Command, InvalidArgumentError, Option } from 'commander';
import type { AuditFilter } from '../operator/audit.js';
import type { Link } from '../operator/audit-chain.js';
import { auditSorts } from '../operator/sorts.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';
import {
  aboutLists,
  type ListCommandFlags,
  sinceOption,
  withListFlags,
  withShowFlags,
} from './list-options.js';

const examples = `
Examples:
  $ pandafuzz audit --since 2d --who ci
  $ pandafuzz audit verify                      prints the head: note it elsewhere
  $ pandafuzz audit verify --head 4711:5f2c…    is that entry still what it was?
  $ pandafuzz audit export > audit.jsonl
  $ pandafuzz audit verify --file audit.jsonl`;

export function auditCommand(): Command {
  return new Command('audit')
    .summary('show who changed what, and who was refused')
    .description(
      'Shows every change that people made and every call that was refused: who, from where,\n' +
        'and by which request. Each entry has the hash of the one before.',
    )
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(verifyCommand())
    .addCommand(exportCommand())
    .addHelpText('after', examples);
}

const withFilter = (command: Command): Command =>
  command
    .addOption(sinceOption('only entries from then on'))
    .option(
      '--who <name>',
      'only those of one token, by its name; anonymous: of calls without one',
    );

function listCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .summary('list entries (the default)')
    .description('Lists the entries of the audit log, newest first.')
    .addHelpText('after', aboutLists)
    .action(async (flags: ListCommandFlags & AuditFilter) => {
      const { showAudit } = await import('../operator/audit.js');
      await showAudit(flags);
    });
  return withListFlags(withFilter(command), auditSorts);
}

function verifyCommand(): Command {
  const command = new Command('verify')
    .summary('look whether entries were changed or removed')
    .description(
      'Computes every hash anew, from the oldest entry on. Exit code 12: the log was changed.\n' +
        'Who can write the database can compute hashes, too: an entry noted elsewhere shows that.\n' +
        'Exit code 13: that entry was deleted since, so it could not be compared.',
    )
    .addOption(
      new Option('--head <entry>', 'a head that was printed before, as NUMBER:HASH').argParser(
        link,
      ),
    )
    .option('--file <file>', 'of a whole "audit export" instead of a master')
    .action(async (flags: OperatorFlags & { head?: Link; file?: string }) => {
      const { verifyAudit } = await import('../operator/audit.js');
      process.exitCode = await verifyAudit(flags);
    });
  return withShowFlags(command);
}

function exportCommand(): Command {
  const command = new Command('export')
    .summary('print every entry as a line of JSON')
    .description('Prints entries as lines of JSON, oldest first.')
    .action(async (flags: OperatorFlags & AuditFilter) => {
      const { exportAudit } = await import('../operator/audit.js');
      await exportAudit(flags);
    });
  return withOperatorFlags(withFilter(command));
}

function link(text: string): Link {
  const [, sequence, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (sequence && hash) return { sequence: Number(sequence), hash };
  throw new InvalidArgumentError('It must be NUMBER:HASH, as "audit verify" prints it.');
}
