import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../harness.js';

/** The word that `parted` ends with, in a dictionary. */
export const dictionary = '# found by no mutation\nword="kW7#zP!q9"\n';

const hash = Buffer.from('kW7#zP!q9').reduce(
  (sum, byte) => Math.imul(sum ^ byte, 16777619) >>> 0,
  2166136261,
);

/** A folder with the target `parted` and its library beside it. */
export async function partedFolder(
  link: readonly string[] = ['-Wl,-rpath,$ORIGIN'],
): Promise<string> {
  const folder = join(temporaryFolder(), 'out');
  mkdirSync(folder);
  const clang = promisify(execFile);
  const programs = 'test/bot/programs';
  const library = join(folder, 'libpart.so');
  await clang('clang', ['-shared', '-fPIC', `${programs}/part.c`, '-o', library]);
  const flags = ['-g', '-O1', '-fsanitize=fuzzer,address', `-DWORD_HASH=${hash}u`];
  const out = ['-L', folder, '-lpart', ...link, '-o', join(folder, 'parted')];
  await clang('clang', [...flags, `${programs}/parted.c`, ...out]);
  return folder;
}
