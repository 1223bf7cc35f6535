import type { Dirent } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { TargetFault } from './fault.js';
import { type Program, readProgram } from './program.js';

/** Programs that build outputs have beside their fuzzers; NAME.cmplog is AFL++'s second build of one. */
const companions =
  /^(afl-.*|llvm-.*|honggfuzz|jazzer_.*|jazzer_driver.*|.*\.so(\.\d+)*|.*\.(a|o|dict|options|zip|jar|class|cmplog))$/;

/** A bundle with more files is looked at no further. */
const mostFiles = 20_000;
/** As much of a script as is looked at for what it runs, bytes. */
const scriptBytes = 64 * 1024;

/**
 * What is in the folder of a bundle: its fuzzers, by their paths in it, sorted. Those of the
 * folder itself go before those further down, which are tools and examples then. Where no
 * program shows that it is a fuzzer, all programs are returned, as they may be for an engine
 * that needs no runtime in them.
 */
export async function fuzzersIn(
  folder: string,
): Promise<{ fuzzers: string[]; programs: string[] }> {
  const fuzzers: string[] = [];
  const programs: string[] = [];
  for (const path of await executablesIn(folder)) {
    const program = await readProgram(path).catch((error) => {
      if (error instanceof TargetFault) return undefined;
      throw error;
    });
    if (!program) continue;
    const name = relative(folder, path);
    programs.push(name);
    if (await isFuzzer(path, program)) fuzzers.push(name);
  }
  const top = fuzzers.filter((name) => !name.includes('/'));
  return { fuzzers: (top.length > 0 ? top : fuzzers).sort(), programs: programs.sort() };
}

/**
 * The program of a bundle that a job runs: the one it names, or the only one.
 *
 * @returns its path in the bundle
 * @throws TargetFault where it is missing or not clear, with the names there are
 */
export async function chooseFuzzer(folder: string, named: string): Promise<string> {
  if (named !== '') {
    const found = await stat(join(folder, named)).catch(() => undefined);
    if (found?.isFile() && !relative(folder, join(folder, named)).startsWith('..')) return named;
    throw new TargetFault(
      `the bundle has no file ${named}${listOf((await fuzzersIn(folder)).fuzzers)}`,
    );
  }
  const { fuzzers, programs } = await fuzzersIn(folder);
  const choice = fuzzers.length > 0 ? fuzzers : programs;
  const [only] = choice;
  if (only === undefined) throw new TargetFault('the bundle has no program in it');
  if (choice.length === 1) return only;
  throw new TargetFault(`the bundle has ${choice.length} programs: name one${listOf(choice)}`);
}

const shownNames = 10;

function listOf(names: readonly string[]): string {
  if (names.length === 0) return '';
  const more = names.length > shownNames ? ` and ${names.length - shownNames} more` : '';
  return ` (${names.slice(0, shownNames).join(', ')}${more})`;
}

async function isFuzzer(path: string, program: Program): Promise<boolean> {
  if (program.elf || program.engine !== undefined) return program.engine !== undefined;
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(scriptBytes), 0, scriptBytes, 0);
    const text = buffer.toString('latin1', 0, bytesRead);
    return text.includes('LLVMFuzzerTestOneInput'); // as OSS-Fuzz's wrappers say
  } finally {
    await file.close();
  }
}

async function executablesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  const waiting = [folder];
  let files = 0;
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const entry of await readdir(at, { withFileTypes: true })) {
      if (++files > mostFiles) return found;
      const path = join(at, entry.name);
      if (entry.isDirectory()) waiting.push(path);
      else if (await isExecutable(entry, path)) found.push(path);
    }
  }
  return found;
}

/** Names that are no UTF-8 are passed over: a job could not name them. */
async function isExecutable(entry: Dirent, path: string): Promise<boolean> {
  if (companions.test(entry.name) || !(entry.isFile() || entry.isSymbolicLink())) return false;
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && (found.mode & 0o111) !== 0;
}
