import { open } from 'node:fs/promises';
import { engineOf } from '../core/target-engine.js';
import { archiveHeadBytes, archiveKind } from './archive/kind.js';
import { type ElfFile, isElf, readElf } from './elf.js';
import { TargetFault } from './fault.js';

/** A file that a machine can execute, as far as a look into it shows. */
export interface Program {
  /** Undefined for a script. */
  readonly elf: ElfFile | undefined;
  /** The dynamic loader, or the program that a script names; empty where there is none. */
  readonly interpreter: string;
  /** The engine that it is built for; undefined where nothing in it shows one. */
  readonly engine: string | undefined;
}

/**
 * Looks into a program.
 *
 * @throws TargetFault for what no machine can execute, with the reason
 */
export async function readProgram(path: string): Promise<Program> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(archiveHeadBytes);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const start = head.subarray(0, bytesRead);
    expectProgram(start);
    if (!isElf(start)) {
      const engine = await engineOf(path);
      return { elf: undefined, interpreter: interpreterOf(start), engine };
    }
    const elf = await readElf(file);
    if (elf.type !== 'executable') {
      throw new TargetFault(
        `it is no program but ${withArticle[elf.type]}: name the executable to fuzz`,
      );
    }
    return { elf, interpreter: elf.interpreter, engine: await engineOf(path) };
  } finally {
    await file.close();
  }
}

const withArticle = {
  library: 'a shared library',
  'object file': 'an object file that is not linked yet',
  'core dump': 'a core dump',
} as const;

/**
 * Whether a file that begins with these bytes can be a program.
 *
 * @throws TargetFault with the reason
 */
export function expectProgram(head: Buffer): void {
  const text = head.toString('latin1');
  if (isElf(head) || text.startsWith('#!')) return;
  const kind = archiveKind(head);
  if (kind)
    throw new TargetFault(`it is a .${kind} and no program: send it as a bundle (--bundle)`);
  const why =
    foreignProgram(head) ??
    'it is neither an ELF executable nor a script with "#!" in its first line';
  throw new TargetFault(`${why}: build it for the bots' machines`);
}

/** Begins of programs for Windows and macOS. */
const foreign = /^(MZ|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe|\xfe\xed\xfa)/;

/** Whether it is a program that only another system executes, in words. */
export function foreignProgram(head: Uint8Array): string | undefined {
  return foreign.test(Buffer.from(head.subarray(0, 4)).toString('latin1'))
    ? 'it is a program for another system: bots run Linux programs'
    : undefined;
}

/** The program of "#!/usr/bin/env -S python3 -u" is python3, that of "#!/bin/sh -e" is /bin/sh. */
function interpreterOf(head: Buffer): string {
  const line = head.subarray(2).toString('utf8').split('\n', 1)[0] ?? '';
  const [program = '', ...rest] = line.trim().split(/[ \t]+/);
  if (!/(^|\/)env$/.test(program)) return program;
  return rest.find((word) => !word.startsWith('-') && !word.includes('=')) ?? program;
}
