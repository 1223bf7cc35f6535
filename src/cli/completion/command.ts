import { Argument, Command } from 'commander';
import { placesOf } from './places.js';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

const about = `
Words and options stand in the script. Names of targets, bots, jobs, campaigns, groups and
projects come from the master that the line names (--master, PANDAFUZZ_MASTER), which has
300 ms to answer, or PANDAFUZZ_COMPLETION_WAIT; without an answer there are none.

For this shell:
  $ source <(pandafuzz completion bash)
  $ source <(pandafuzz completion zsh)
  $ pandafuzz completion fish | source

For all that follow:
  $ pandafuzz completion bash > ~/.local/share/bash-completion/completions/pandafuzz
  $ pandafuzz completion zsh > ~/.zfunc/_pandafuzz        a folder of $fpath
  $ pandafuzz completion fish > ~/.config/fish/completions/pandafuzz.fish`;

export function completionCommand(): Command {
  return new Command('completion')
    .summary('print what completes commands in a shell')
    .description('Prints the script by which bash, zsh or fish completes commands.')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText('after', about)
    .action(async (shell: Shell, _: unknown, self: Command) => {
      if (!self.parent) throw new Error('the command stands alone');
      const places = placesOf(self.parent);
      const { bashScript, zshScript } = await import('./sh.js');
      const { fishScript } = await import('./fish.js');
      const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };
      process.stdout.write(scripts[shell](places));
    });
}
