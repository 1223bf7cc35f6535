import { readlink, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { readPlainStart } from './plain-file.js';
import { findProgram, systemPath } from './programs.js';

/** Of a script's first line, bytes; the kernel reads no more. */
const firstLineBytes = 256;
const mostLinks = 40;

/**
 * Folders that must be readable for a program to run which is not among the system's: those on
 * the way of links to it, and what it was installed with (a Python environment, a Go root).
 */
export async function foldersOf(program: string): Promise<string[]> {
  const found = new Set<string>();
  let path = program;
  for (let links = 0; links < mostLinks; links++) {
    found.add(await installation(path));
    const next = await readlink(path).catch(() => undefined);
    if (next === undefined) break;
    path = resolve(dirname(path), next);
  }
  const last = await realpath(program).catch(() => undefined);
  if (last) found.add(await installation(last));
  return [...found].filter((folder) => !isOfSystem(folder));
}

/** The same for a script's interpreter; nothing for other files. */
export async function foldersOfInterpreter(script: string): Promise<string[]> {
  const [name, argument] = await interpreterOf(script);
  if (!name?.startsWith('/')) return [];
  if (!name.endsWith('/env') || !argument) return foldersOf(name);
  const program = findProgram([argument], systemPath);
  return program ? foldersOf(program) : [];
}

async function interpreterOf(script: string): Promise<string[]> {
  const start = await readPlainStart(script, firstLineBytes).catch(() => undefined);
  const [line = ''] = start?.toString('latin1').split('\n') ?? [];
  return line.startsWith('#!')
    ? line
        .slice(2)
        .trim()
        .split(/[ \t]+/)
    : [];
}

/** ".../bin/python3" belongs to what is around its "bin", unless that is somebody's home or all. */
async function installation(program: string): Promise<string> {
  const folder = dirname(program);
  const around = dirname(folder);
  if (!folder.endsWith('/bin') || around === '/' || around === homedir()) return folder;
  const hasLibraries = await stat(join(around, 'lib')).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return hasLibraries ? around : folder;
}

const isOfSystem = (path: string) =>
  path === '/' || /^\/(usr|bin|sbin|lib|lib64|opt|nix\/store)(\/|$)/.test(path);
