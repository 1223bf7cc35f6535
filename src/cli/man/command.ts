import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { version } from '../../core/version.js';
import { manPages } from './pages.js';

const examples = `
Examples:
  $ pandafuzz man ~/.local/share/man/man1
  $ man pandafuzz-job-submit
  $ pandafuzz man pages && man -l pages/pandafuzz.1`;

export function manCommand(): Command {
  return new Command('man')
    .summary('write man pages')
    .description('Writes a man page for every command into a folder, from the texts of --help.')
    .argument('<folder>', 'where to write them; it is made if it is not there')
    .addHelpText('after', examples)
    .action((folder: string, _: unknown, self: Command) => {
      if (!self.parent) throw new Error('the command stands alone');
      mkdirSync(folder, { recursive: true });
      const pages = manPages(self.parent, { version, date: new Date() });
      for (const { name, text } of pages) writeFileSync(join(folder, `${name}.1`), text);
      process.stdout.write(`${pages.length} pages in ${folder}\n`);
    });
}
