import { execFile } from 'node:child_process';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../../harness.js';

export const withAddressSanitizer = ['-fsanitize=fuzzer,address'];

/** A program of this folder, built by a real clang; gone after the test. */
export async function buildProgram(source: string, flags: readonly string[]): Promise<string> {
  const out = join(temporaryFolder(), basename(source).replace(/\..*/, ''));
  const compiler = source.endsWith('.cc') ? 'clang++' : 'clang';
  const common = ['-g', '-O1', '-fno-omit-frame-pointer'];
  const path = join('test/bot/programs', source);
  await promisify(execFile)(compiler, [...common, path, ...flags, '-o', out]);
  return out;
}
