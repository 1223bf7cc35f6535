import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../../core/folders.js';
import { readCrashReport } from '../../../crash/report.js';
import { crashSignature } from '../../../crash/signature.js';
import { JobOutcome } from '../../../gen/pandafuzz/v1/job.js';
import { readPlainFile } from '../../sandbox/plain-file.js';
import type { FuzzEnd } from '../ends.js';
import { startSideProcess } from '../side-process.js';
import { bringInput, type CrashWorkParts } from './parts.js';
import { keepTrial, type Trial, tryInput } from './trial.js';

/** Between SIGTERM and SIGKILL, milliseconds. */
const stopGraceMs = 200;
/** Starts of the engine: it stops at a smaller input of another crash, and may find a way round. */
const mostStarts = 20;

/**
 * Looks for a smaller input that crashes in the same way, and brings it to the spool once a
 * run of it, alone, has crashed: jobs of the kind MINIMISE.
 *
 * @throws UnfitTargetError, the signal's reason when it aborts, and what the master answers
 */
export async function minimise(parts: CrashWorkParts): Promise<FuzzEnd> {
  const { spec, clock } = parts;
  const [work] = spec.crashWork?.inputs ?? [];
  if (!work) return { outcome: JobOutcome.FAILED, message: 'the job names no crash' };
  const input = await bringInput(parts, work);
  const before = await crashOf(input, parts);
  if (!before) return completed('the input does not crash here: nothing was made smaller');
  const signature = signatureOf(before, spec.targetName);
  const isAlike = (trial: Trial) => signatureOf(trial, spec.targetName) === signature;
  const endsAtMs = clock.monotonic() + (spec.limits?.maxDurationSeconds || 60) * 1000;
  let smallest: { input: Buffer; trial: Trial } | undefined;
  for (let start = 0; start < mostStarts && clock.monotonic() < endsAtMs; start++) {
    const from = smallest?.input ?? input;
    const found = await smallerInput(from, parts, endsAtMs);
    if (!found || found.length >= from.length) break;
    const trial = await crashOf(found, parts);
    if (!trial || (smallest && !isAlike(trial))) break;
    smallest = { input: found, trial };
    if (!isAlike(trial)) break;
  }
  if (!smallest) return completed(`no smaller input was found: ${bytes(input)} bytes`);
  await keepTrial(smallest.input, smallest.trial, parts, work.crashId);
  const way = isAlike(smallest.trial) ? '' : ', but it crashes in another way';
  return completed(`${bytes(input)} -> ${bytes(smallest.input)} bytes${way}`);
}

const completed = (message: string): FuzzEnd => ({ outcome: JobOutcome.COMPLETED, message });
const bytes = (input: Buffer): string => input.length.toLocaleString('en-US');

/** What the master goes by when it looks for a crash's group, decisions of people left out. */
function signatureOf({ report }: Trial, target: string): string {
  const crash = readCrashReport(report, { target });
  return crash.isKnown ? crashSignature(crash, { target }) : '';
}

/** The first of its runs that crashes, as many as the job allows. */
async function crashOf(input: Buffer, parts: CrashWorkParts): Promise<Trial | undefined> {
  for (let run = 0; run < (parts.spec.crashWork?.runs || 1); run++) {
    const trial = await tryInput(input, parts);
    if (trial.isCrash) return trial;
  }
  return undefined;
}

/** One start of the engine; undefined when it left no input. */
async function smallerInput(
  from: Buffer,
  parts: CrashWorkParts,
  endsAtMs: number,
): Promise<Buffer | undefined> {
  const { spec, engine, folder, clock, signal } = parts;
  const room = join(folder.path, 'minimise');
  await rm(room, { recursive: true, force: true });
  await makeFolder(room);
  const [input, output] = [join(room, 'input'), join(room, 'output')];
  await writeFile(input, from);
  const leftMs = Math.max(endsAtMs - clock.monotonic(), 1);
  const seconds = Math.max(Math.ceil(leftMs / 1000), 1);
  const command = await engine.minimise?.({ target: folder.target, spec, input, output, seconds });
  if (!command) return undefined;
  const options = { cwd: room, temporary: folder.temporary, stopGraceMs };
  const sandbox = await startSideProcess(parts, command, options);
  // The engine's own limit is that of each of its steps.
  const limit = clock.schedule(leftMs, () => sandbox.stop(stopGraceMs));
  try {
    await sandbox.exited;
    signal.throwIfAborted();
    return await readPlainFile(output);
  } finally {
    limit.cancel();
    await rm(room, { recursive: true, force: true });
  }
}
