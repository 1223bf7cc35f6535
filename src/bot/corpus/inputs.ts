import { open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { corpusInput } from '../../client/corpus.js';
import { filesBelow } from '../../core/folders.js';
import type { RunFolder } from '../folders/run-folder.js';

/**
 * Takes inputs that crash out of the corpus and the seeds: an engine that runs
 * into one of them while it reads its corpus would never come to fuzz.
 *
 * @param onRemoved called with the SHA-256 and the length of each
 * @param maxInputBytes of a longer file the engine has read this much only
 * @returns how many files were removed
 */
export async function removeInputs(
  folder: Pick<RunFolder, 'corpus' | 'seeds'>,
  inputs: readonly Buffer[],
  onRemoved: (sha256: string, sizeBytes: number) => void,
  maxInputBytes = 0,
): Promise<number> {
  let removed = 0;
  for (const path of inputs.length > 0 ? await filesBelow(folder.corpus, folder.seeds) : []) {
    if (!(await isOneOf(path, inputs, maxInputBytes))) continue;
    const { sha256, bytes } = corpusInput(await readFile(path));
    await rm(path, { force: true });
    onRemoved(sha256, bytes.length);
    removed += 1;
  }
  return removed;
}

/**
 * Takes inputs that crash, and that other bots brought while the engine ran, out of the
 * corpus: they have their SHA-256 for a name.
 *
 * @param onRemoved called with the SHA-256 and the length of each
 */
export async function removeBrought(
  folder: Pick<RunFolder, 'corpus'>,
  inputs: readonly Buffer[],
  onRemoved: (sha256: string, sizeBytes: number) => void,
): Promise<void> {
  for (const { sha256, bytes } of inputs.map(corpusInput)) {
    const path = join(folder.corpus, sha256);
    if (!(await stat(path).catch(() => undefined))) continue;
    await rm(path, { force: true });
    onRemoved(sha256, bytes.length);
  }
}

async function isOneOf(
  path: string,
  inputs: readonly Buffer[],
  maxInputBytes: number,
): Promise<boolean> {
  const { size } = await stat(path);
  const readBytes = maxInputBytes > 0 ? Math.min(size, maxInputBytes) : size;
  const candidates = inputs.filter((input) => input.length === readBytes);
  if (candidates.length === 0) return false;
  const file = await open(path);
  try {
    const bytes = Buffer.alloc(readBytes);
    await file.read(bytes, 0, readBytes, 0);
    return candidates.some((input) => input.equals(bytes));
  } finally {
    await file.close();
  }
}
