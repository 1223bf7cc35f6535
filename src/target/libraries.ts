import { access, open, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ElfFile, readElf } from './elf.js';

/** Where a library of a program is found, as its loader would look for it. */
export interface Library {
  readonly name: string;
  /**
   * `own`: where the program itself says (RPATH, RUNPATH). `beside`: in the program's folder
   * or `lib` in it, where a loader looks only if LD_LIBRARY_PATH says so. `system`: in a
   * folder of this machine.
   */
  readonly found: 'own' | 'beside' | 'system' | 'nowhere';
  /** The file; empty if it was found nowhere. */
  readonly path: string;
}

/** A program with more libraries is looked at no further. */
const mostLibraries = 512;

/** The libraries of a program, those that its libraries need included. */
export async function librariesOf(program: string): Promise<Library[]> {
  const folder = dirname(program);
  const system = await systemFolders();
  const found = new Map<string, Library>();
  const waiting = [program];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const elf = await elfAt(path);
    for (const name of elf?.needed ?? []) {
      if (found.has(name) || found.size >= mostLibraries) continue;
      const library = await find(name, ownFolders(elf as ElfFile, path), folder, system);
      found.set(name, library);
      // What a library of the system needs is the system's affair.
      if (library.found === 'own' || library.found === 'beside') waiting.push(library.path);
    }
  }
  return [...found.values()];
}

/** The folders for LD_LIBRARY_PATH without which the program would not find its libraries. */
export function libraryPath(libraries: readonly Library[]): string[] {
  const beside = libraries.filter(({ found }) => found === 'beside');
  return [...new Set(beside.map(({ path }) => dirname(path)))];
}

const ownFolders = (elf: ElfFile, path: string): string[] =>
  elf.libraryFolders.map((one) => one.replace(/\$ORIGIN|\$\{ORIGIN\}/g, dirname(path)));

async function find(
  name: string,
  own: readonly string[],
  folder: string,
  system: readonly string[],
): Promise<Library> {
  if (name.includes('/')) {
    return (await exists(name)) ? { name, found: 'system', path: name } : nowhere(name);
  }
  const places = [
    ...own.map((at) => ['own', at] as const),
    ...system.map((at) => ['system', at] as const),
    ['beside', folder] as const,
    ['beside', join(folder, 'lib')] as const,
  ];
  for (const [found, at] of places) {
    const path = join(at, name);
    if (await exists(path)) return { name, found, path };
  }
  return nowhere(name);
}

const nowhere = (name: string): Library => ({ name, found: 'nowhere', path: '' });

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

async function elfAt(path: string): Promise<ElfFile | undefined> {
  const file = await open(path);
  try {
    return await readElf(file);
  } catch {
    return undefined; // a script, or a text file that stands for a library
  } finally {
    await file.close();
  }
}

/** The folders in which a loader of this machine looks by itself. */
async function systemFolders(): Promise<string[]> {
  const usual = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', '/usr/local/lib'];
  const given = (process.env['LD_LIBRARY_PATH'] ?? '').split(':').filter((one) => one !== '');
  const listed = await readdir('/etc/ld.so.conf.d').catch(() => []);
  const files = ['/etc/ld.so.conf', ...listed.map((name) => `/etc/ld.so.conf.d/${name}`)];
  const texts = await Promise.all(files.map((path) => readFile(path, 'utf8').catch(() => '')));
  const configured = texts.flatMap((text) => text.split('\n').map((line) => line.trim()));
  return [...new Set([...given, ...configured.filter((line) => line.startsWith('/')), ...usual])];
}
