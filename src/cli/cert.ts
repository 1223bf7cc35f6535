import { isIP } from 'node:net';
import { Command, InvalidArgumentError, Option } from 'commander';
import { wholeOption } from './flags.js';

const examples = `
Examples:
  $ pandafuzz cert init --host fuzz.example.org          tls/ca.crt, tls/server.crt and their keys
  $ pandafuzz cert init --host fuzz.example.org --client north --client south
  $ pandafuzz cert server --host fuzz.example.org --name server-2    the next one, of the same CA
  $ pandafuzz cert client east
  $ pandafuzz cert revoke north              tls/ca.crl, for tls.client_crl of the master

The master gets server.crt and server.key (tls.cert and tls.key); bots and operators get ca.crt
(--ca). ca.key makes certificates that all of them trust: keep it away from every other machine.
Files are readable for their owner alone, and nothing is overwritten.`;

interface CommonFlags {
  readonly dir: string;
  readonly days: number;
  readonly json?: boolean;
}

export function certCommand(): Command {
  return new Command('cert')
    .summary('make a CA and certificates for TLS')
    .description('Makes a small CA, and certificates of it, for those who have none.')
    .addCommand(initCommand())
    .addCommand(serverCommand())
    .addCommand(clientCommand())
    .addCommand(revokeCommand())
    .addHelpText('after', examples);
}

function initCommand(): Command {
  const command = new Command('init')
    .summary('make a CA, and a certificate for the master')
    .description('Makes a CA, a certificate for the master, and some for clients if wished.')
    .addOption(hostOption())
    .addOption(
      new Option(
        '--client <name>',
        'also one for a client, where the master asks for them; may be repeated',
      ).argParser((text: string, before: string[] = []) => [...before, fileName(text)]),
    )
    .addHelpText('after', examples)
    .action(async (flags: CommonFlags & { host?: string[]; client?: string[] }) => {
      const { initCertificates } = await import('../operator/certificates/commands.js');
      await initCertificates(flags);
    });
  return withCommonFlags(command);
}

function serverCommand(): Command {
  const command = new Command('server')
    .summary('make another certificate for a master')
    .description('Makes another certificate for a master, of the CA in the folder.')
    .addOption(hostOption())
    .requiredOption('--name <name>', 'name of its files', fileName)
    .action(async (flags: CommonFlags & { host?: string[]; name: string }) => {
      const { makeServerCertificate } = await import('../operator/certificates/commands.js');
      await makeServerCertificate(flags);
    });
  return withCommonFlags(command);
}

function clientCommand(): Command {
  const command = new Command('client')
    .summary('make a certificate for a bot or an operator')
    .description('Makes a certificate for a client, of the CA in the folder.')
    .argument('<name>', 'who it is, and the name of its files', fileName)
    .action(async (name: string, flags: CommonFlags) => {
      const { makeClientCertificate } = await import('../operator/certificates/commands.js');
      await makeClientCertificate(flags, name);
    });
  return withCommonFlags(command);
}

function revokeCommand(): Command {
  return new Command('revoke')
    .summary('put a certificate of a client on the list of revoked ones')
    .description(
      'Adds a certificate to the list of revoked ones (ca.crl) of the CA in the folder. The master\n' +
        'refuses connections that begin with it; end those that are open by the token, if it has one.',
    )
    .argument('<name>', 'name of its files', fileName)
    .option('--dir <folder>', 'where the files are', 'tls')
    .option('--json', 'print JSON for scripts')
    .action(async (name: string, flags: CommonFlags) => {
      const { revokeCertificate } = await import('../operator/certificates/commands.js');
      await revokeCertificate(flags, name);
    });
}

const withCommonFlags = (command: Command): Command =>
  command
    .option('--dir <folder>', 'where the files are', 'tls')
    .addOption(
      wholeOption(
        '--days',
        'how long certificates are valid; a CA is for ten years',
        1,
        3650,
      ).default(397),
    )
    .option('--json', 'print JSON for scripts');

const hostOption = (): Option =>
  new Option(
    '--host <name>',
    'name or IP address by which the master is reached, besides those of this machine; may be repeated',
  ).argParser((text: string, before: string[] = []) => [...before, host(text)]);

function host(text: string): string {
  const labels = text.replace(/^\*\./, '').split('.');
  const isName = labels.every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/.test(label));
  if (isIP(text) !== 0 || (isName && text.length <= 253)) return text;
  throw new InvalidArgumentError('It must be a name or an IP address, without a port.');
}

function fileName(text: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(text) && text !== 'ca') return text;
  throw new InvalidArgumentError(
    "It must be 1 to 64 letters, digits, '.', '_' or '-', other than ca.",
  );
}
