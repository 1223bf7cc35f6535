import { codeOf } from '../../core/errors.js';
import type { Engine } from '../engines/engine.js';
import type { RunFolder } from '../folders/run-folder.js';
import type { SandboxExit } from '../sandbox/sandbox.js';
import type { FuzzEnd } from './ends.js';
import { holdsFuzzer } from './fuzzer-marks.js';
import { blameOf } from './start-trouble.js';
import { readTargetFile, type TargetFile } from './target-file.js';

/** Stands for the exit of a process that never was; 126 as a shell has it. */
export const notStarted: SandboxExit = { code: 126, signal: null };

/** Errors of execve, as Node reports them where nothing stands before the target. */
const execErrors: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  ENOEXEC: 'Exec format error',
  E2BIG: 'Argument list too long',
  ETXTBSY: 'Text file busy',
  EAGAIN: 'Resource temporarily unavailable',
  ENOMEM: 'Cannot allocate memory',
};

/** What a shell would have printed of a process that could not be started; undefined for other errors. */
export function wordsOfSpawnError(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('syscall' in error)) return undefined;
  const code = codeOf(error);
  if (code === undefined || !String(error.syscall).startsWith('spawn')) return undefined;
  const words = execErrors[code];
  return words && `failed to execute the target: ${words}`;
}

/** Whose trouble it is that a start has executed nothing, by its words and its executable. */
export async function uselessStart(
  exit: SandboxExit,
  words: string,
  { engine, folder }: { engine: Engine; folder: Pick<RunFolder, 'target'> },
  what = 'the target ended without executing an input',
): Promise<FuzzEnd> {
  const file = await readTargetFile(folder.target).catch(() => unreadable);
  const canTell = engine.name === 'libfuzzer' && file.format === 'elf';
  const hasFuzzer = canTell ? await holdsFuzzer(folder.target).catch(() => undefined) : undefined;
  return blameOf({ exit, words, file, what, hasFuzzer });
}

/** Of a file that cannot be read nothing is known. */
const unreadable: TargetFile = {
  format: 'elf',
  otherProcessor: '',
  interpreter: '',
  hasInterpreter: true,
};
