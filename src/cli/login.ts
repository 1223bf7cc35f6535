import { Command } from 'commander';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

const examples = `
Examples:
  $ pandafuzz login --master fuzz.example.org:50051 --ca ca.crt
  $ pandafuzz login --no-browser            prints the address, for a browser elsewhere
  $ pandafuzz login --token-file my.token   keeps a token, where there is no provider
  $ pandafuzz whoami

The sign-in is for the master that --master names, and for every command of this user that
names it the same way. It is in pandafuzz/credentials.json of the configuration folder
(XDG_CONFIG_HOME, or ~/.config), for its owner alone. --token-file, PANDAFUZZ_TOKEN and
PANDAFUZZ_TOKEN_FILE win over it. When it ends, sign in again.`;

export function loginCommand(): Command {
  const command = new Command('login')
    .summary('sign in to a master, by its provider')
    .description(
      'Signs in to a master by the provider that it is set to (oidc in master.yaml): opens a\n' +
        'browser there, and keeps what the master gives back. All commands then call with it.',
    )
    .option('--no-browser', 'open no browser: print the address, and take the answer by pasting')
    .addHelpText('after', examples)
    .action(async (flags: OperatorFlags & { browser: boolean }) => {
      const { login } = await import('../operator/login/login.js');
      await login(flags);
    });
  return withOperatorFlags(command);
}

export function logoutCommand(): Command {
  const command = new Command('logout')
    .summary('end the sign-in to a master')
    .description(
      'Ends the sign-in that "pandafuzz login" has made, at the master and on this machine.\n' +
        'Of a token that was kept by --token-file, only this copy is deleted.',
    )
    .action(async (flags: OperatorFlags) => {
      const { logout } = await import('../operator/login/logout.js');
      await logout(flags);
    });
  return withOperatorFlags(command);
}
