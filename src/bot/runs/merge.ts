import { copyFile, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { unary } from '../../client/call.js';
import { corpusInput } from '../../client/corpus.js';
import { makeFolder } from '../../core/folders.js';
import type { Logger } from '../../core/log.js';
import { PutAsideReason } from '../../gen/pandafuzz/v1/corpus_service.js';
import { JobOutcome } from '../../gen/pandafuzz/v1/job.js';
import type { PutAside } from '../corpus/put-aside.js';
import type { Stock } from '../corpus/stock.js';
import type { Coverage, EngineCommand } from '../engines/engine.js';
import type { SandboxExit } from '../sandbox/sandbox.js';
import { type CrashWorkParts, withRetries } from './crashes/parts.js';
import type { FuzzEnd } from './ends.js';
import { startSideProcess } from './side-process.js';

/** Merges of the same inputs, where what was chosen first covers less. */
const mostMerges = 3;
/** Of a job without a limit. */
const usualSeconds = 3600;
/** Inputs of one call. */
const sentAtOnce = 1000;
/** Files handled at once. */
const filesAtOnce = 32;
/** Between SIGTERM and SIGKILL, milliseconds. */
const stopGraceMs = 500;
/** Of what a process prints, its end, bytes. */
const mostOutputBytes = 64 * 1024;

export interface MergeParts extends Omit<CrashWorkParts, 'spool'> {
  readonly stock: Stock;
  readonly aside: PutAside;
  readonly log: Logger;
}

/**
 * Has the engine choose the inputs of a corpus that its coverage needs, and replaces the
 * corpus by them: jobs of the kind MERGE. What is put aside for the build says nothing about
 * others, and is kept. Coverage is measured before and after; less is refused.
 *
 * @throws the signal's reason when it aborts, and what the master answers
 */
export async function merge(parts: MergeParts): Promise<FuzzEnd> {
  const { engine, spec, clock, signal } = parts;
  if (!engine.merge || !engine.measuring) {
    return failed(`this bot cannot merge with ${engine.name}`);
  }
  const over = new AbortController();
  const limitMs = (spec.limits?.maxDurationSeconds || usualSeconds) * 1000;
  const timer = clock.schedule(limitMs, () => over.abort(new MergeTimeError()));
  try {
    return await mergeWithin({ ...parts, signal: AbortSignal.any([signal, over.signal]) });
  } catch (error) {
    if (over.signal.aborted && !signal.aborted) return failed(over.signal.reason.message);
    throw error;
  } finally {
    timer.cancel();
  }
}

async function mergeWithin(within: MergeParts): Promise<FuzzEnd> {
  const { folder, stock, aside, signal, log } = within;
  await withRetries(signal, 'download of a corpus', () => stock.refresh(signal));
  await withRetries(signal, 'list of inputs put aside', () => aside.refresh(signal));
  const from = { revision: stock.revision, cursor: stock.cursor };
  const inputs = join(folder.path, 'merge', 'inputs');
  const all = await laidOut(within, inputs);
  if (all === 0) return completed('the corpus is empty: there is nothing to merge');

  const chosen = join(folder.path, 'merge', 'chosen');
  await makeFolder(chosen);
  let before: Coverage | string | undefined;
  let after: Coverage | string | undefined;
  for (let round = 0; round < mostMerges; round++) {
    const left = await mergeOnce(within, inputs, chosen);
    if (left) return failed(left);
    before ??= await measured(within, inputs);
    after = await measured(within, chosen);
    if (typeof before === 'string') return failed(before);
    if (typeof after === 'string') return failed(after);
    if (after.coverage >= before.coverage) break;
  }
  if (typeof before !== 'object' || typeof after !== 'object') return failed(noFigures);
  if (after.coverage < before.coverage) {
    const figures = `${after.coverage} of ${before.coverage}`;
    return failed(`what was chosen covers ${figures}: the corpus stays as it is`);
  }
  await replaceCorpus(within, { ...from, chosen, before, after });
  const kept = await readdir(chosen);
  const note = aside.note === '' ? '' : `; ${aside.note}`;
  log.info({ all, kept: kept.length, before, after }, 'corpus merged');
  return completed(
    `${format(all)} -> ${format(kept.length)} inputs; coverage ${before.coverage} -> ${after.coverage}${note}`,
  );
}

const completed = (message: string): FuzzEnd => ({ outcome: JobOutcome.COMPLETED, message });
const failed = (message: string): FuzzEnd => ({ outcome: JobOutcome.FAILED, message });
const format = (count: number) => count.toLocaleString('en-US');

class MergeTimeError extends Error {
  override readonly message = 'the merge took longer than its job allows (corpus.merge_time)';
}

/** @returns how many inputs */
async function laidOut({ stock, aside }: MergeParts, inputs: string): Promise<number> {
  await makeFolder(inputs);
  const names = [...new Set(stock.arrivals)].filter((name) => stock.has(name) && !aside.has(name));
  for (let at = 0; at < names.length; at += filesAtOnce) {
    const some = names.slice(at, at + filesAtOnce);
    await Promise.all(some.map((name) => stock.place(name, join(inputs, name))));
  }
  return names.length;
}

/**
 * Adds what the engine chooses to what was chosen. Inputs that it met and that crash are put
 * aside.
 *
 * @returns why it failed
 */
async function mergeOnce(
  parts: MergeParts,
  inputs: string,
  chosen: string,
): Promise<string | undefined> {
  const { engine, spec, folder, aside } = parts;
  const room = join(folder.path, 'merge', 'room');
  const [output, state] = [join(room, 'output'), join(room, 'state')];
  await rm(room, { recursive: true, force: true });
  await makeFolder(output);
  await makeFolder(state);
  const seconds = spec.limits?.maxDurationSeconds || usualSeconds;
  const start = { target: folder.target, spec, inputs, output, state, seconds };
  const command = await engine.merge?.(start);
  if (!command) return `this bot cannot merge with ${engine.name}`;
  const { exit, words } = await runToEnd(parts, command, room);
  const artifacts = (await readdir(room)).filter(engine.isCrash);
  for (const name of artifacts) {
    const { sha256, bytes } = corpusInput(await readFile(join(room, name)));
    aside.add(sha256, bytes.length, PutAsideReason.CRASH);
    await rm(join(inputs, sha256), { force: true });
  }
  if (exit.code !== 0) return `the engine could not merge (${exit.signal ?? exit.code}): ${words}`;
  for (const name of await readdir(output)) await copyFile(join(output, name), join(chosen, name));
  return undefined;
}

const noFigures = 'the engine does not say what the inputs cover';

/** @returns why it is not known */
async function measured(parts: MergeParts, inputs: string): Promise<Coverage | string> {
  const { engine, spec, folder } = parts;
  const command = await engine.measuring?.command({ target: folder.target, spec, inputs });
  if (!command) return noFigures;
  const { output, words } = await runToEnd(parts, command, folder.path);
  return engine.measuring?.read(output) ?? `${noFigures}; it printed: ${words}`;
}

async function runToEnd(
  parts: MergeParts,
  command: EngineCommand,
  cwd: string,
): Promise<{ exit: SandboxExit; output: string; words: string }> {
  let output = '';
  const { exited } = await startSideProcess(parts, command, {
    ...{ cwd, temporary: parts.folder.temporary, stopGraceMs },
    onOutput: (chunk) => {
      output = (output + chunk.toString('latin1')).slice(-mostOutputBytes);
    },
  });
  const exit = await exited;
  parts.signal.throwIfAborted();
  return { exit, output, words: output.trim().slice(-1000) };
}

async function replaceCorpus(
  parts: MergeParts,
  merged: {
    readonly chosen: string;
    readonly revision: number;
    readonly cursor: number;
    readonly before: Coverage;
    readonly after: Coverage;
  },
): Promise<void> {
  const { connection, lease, aside, signal } = parts;
  const { corpora } = connection;
  const { chosen, revision, cursor, before, after } = merged;
  const kept = new Set(aside.all);
  for (const name of await readdir(chosen)) {
    kept.add(corpusInput(await readFile(join(chosen, name))).sha256);
  }
  const sha256s = [...kept];
  for (let at = 0; at < sha256s.length; at += sentAtOnce) {
    const request = { lease, sha256s: sha256s.slice(at, at + sentAtOnce) };
    await withRetries(signal, 'inputs of a merge', () =>
      unary(corpora, corpora.keepMergedInputs, request, { signal }),
    );
  }
  await withRetries(signal, 'inputs put aside', () => aside.send(signal));
  const request = { lease, revision, cursor, before, after };
  await withRetries(signal, 'end of a merge', () =>
    unary(corpora, corpora.finishMerge, request, { signal }),
  );
}
