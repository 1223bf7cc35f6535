import { type NameKind, nameKinds, namesOf } from '../../operator/names.js';
import { defaultMaster } from '../flags.js';

/**
 * Prints the names of one kind that a master knows, each with a tab and what it is, for a shell.
 * Whatever goes wrong, there are none: a shell has no place for errors.
 *
 * @param words the kind, and the words of the line so far, which name the master
 */
export async function printNames([kind, ...line]: readonly string[]): Promise<void> {
  if (!isKind(kind)) return;
  const given = (option: string): string | undefined => {
    const at = line.findLastIndex((word) => word === option || word.startsWith(`${option}=`));
    if (at === -1) return undefined;
    return line[at] === option ? line[at + 1] : line[at]?.slice(option.length + 1);
  };
  const tokenFile = given('--token-file');
  const [ca, cert, key] = ['--ca', '--cert', '--key'].map(given);
  const project = given('--project') ?? process.env['PANDAFUZZ_PROJECT'];
  try {
    const names = await namesOf(kind, {
      master: given('--master') ?? process.env['PANDAFUZZ_MASTER'] ?? defaultMaster,
      ...(tokenFile !== undefined && { tokenFile }),
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(project !== undefined && { project }),
    });
    for (const { name, about } of names) process.stdout.write(`${name}\t${about}\n`);
  } catch {
    // No master, no token, a wrong option: no names.
  }
}

const isKind = (text: string | undefined): text is NameKind =>
  nameKinds.some((kind) => kind === text);
