import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemClock } from '../../core/clock.js';
import { messageOf } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';
import type { Logger } from '../../core/log.js';
import { readCrashReport } from '../../crash/report.js';
import type { CrashHits } from '../../gen/pandafuzz/v1/crash_service.js';
import { JobKind, type JobResult, JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { Engine } from '../engines/engine.js';
import type { FoundEngines } from '../engines/found.js';
import { keyOf } from '../findings/crash-key.js';
import { composeReport } from '../findings/evidence.js';
import { readHits } from '../findings/hits-on-disk.js';
import type { LeftoverHits } from '../findings/leftover-hits.js';
import { SanitizerLogs } from '../findings/sanitizer-logs.js';
import type { Spool } from '../findings/spool.js';
import type { UnsentInputs } from '../findings/unsent-inputs.js';
import type { EngineStates } from '../folders/engine-states.js';
import { leaseOfRunFolder, type RunFolder, runFolderAt } from '../folders/run-folder.js';
import type { Containment } from '../sandbox/containment.js';
import { readPlainFile } from '../sandbox/plain-file.js';
import { secretsLeftBy } from '../sandbox/secrets.js';
import { killStrays } from '../sandbox/strays.js';
import { boundsOf } from './bounds.js';
import { CorpusPart } from './corpus-part.js';
import { readResult } from './finished-run.js';
import { replay } from './replay.js';

/** Stands for what the engine printed, which died with the bot. */
const lostReport =
  'The bot ended while the engine was writing this input down; what the engine printed of it is lost.';

/** Replays before the bot takes work; crashes after them keep the report that they have. */
const mostReplays = 16;

export interface LeftoverParts {
  /** Folder of all runs. */
  readonly runs: string;
  readonly states: EngineStates;
  readonly spool: Spool;
  readonly unsent: UnsentInputs;
  readonly hits: LeftoverHits;
  readonly engines: FoundEngines;
  readonly containment: Containment;
  readonly log: Logger;
}

/**
 * Clears up after a bot that was killed: ends processes that still work in its runs' folders,
 * puts crashes that never reached the spool into it, keeps what engines go on from, and
 * removes the folders. The work folder
 * must be claimed before.
 */
export async function clearLeftovers(parts: LeftoverParts): Promise<FinishedLeftover[]> {
  const { runs, log } = parts;
  await killStrays({ folder: runs }, log);
  const finished: FinishedLeftover[] = [];
  for (const name of await readdir(runs)) {
    const path = join(runs, name);
    const lease = leaseOfRunFolder(name);
    try {
      if (lease) await saveRun(parts, path, lease);
      const result = lease && (await readResult(path));
      if (lease && result) finished.push({ lease, result, path });
      await removeBut(path, result ? keptFiles : []);
    } catch (error) {
      // As on a full disk: the bot works on, and its next start tries again.
      log.error({ run: name, why: messageOf(error) }, 'earlier run not cleared');
    }
  }
  return finished;
}

/** A run that was over, and whose result the master may not have. */
export interface FinishedLeftover {
  readonly lease: Lease;
  readonly result: JobResult;
  readonly path: string;
}

/** Of a finished run: what another process has to find, should this one be killed too. */
const keptFiles = ['result.bin', 'spec.bin'];

async function removeBut(path: string, kept: readonly string[]): Promise<void> {
  if (kept.length === 0) return rm(path, { recursive: true, force: true });
  for (const name of await readdir(path)) {
    if (!kept.includes(name)) await rm(join(path, name), { recursive: true, force: true });
  }
}

async function saveRun(parts: LeftoverParts, path: string, lease: Lease): Promise<void> {
  const spec = await readFile(join(path, 'spec.bin')).then(JobSpec.decode, () => JobSpec.create());
  const folder = runFolderAt(path, spec);
  // A machine that has lost the engine still knows the names of libFuzzer's artifacts.
  const { engines } = parts;
  const engine = (engines.get(spec.engine) ?? engines.get('libfuzzer'))?.engine;
  if (engine) {
    await collected(engine, folder, spec).catch((error) =>
      parts.log.warn({ why: messageOf(error) }, 'engine files unreadable'),
    );
    await saveCrashes(parts, { engine, folder, spec, lease });
    await saveInputs(parts, { engine, folder, spec });
  }
  await saveHits(parts, path, lease);
}

interface LeftoverRun {
  readonly engine: Engine;
  readonly folder: RunFolder;
  readonly spec: JobSpec;
}

/** What the engine found; what was brought from the master has other names. */
async function saveInputs(parts: LeftoverParts, { engine, folder, spec }: LeftoverRun) {
  if (spec.kind !== JobKind.UNSPECIFIED || spec.targetName === '') return;
  const paths: string[] = [];
  for (const at of [folder.corpus, ...CorpusPart.unmerged(folder.path)]) {
    for (const name of await listing(at)) {
      const path = join(at, name);
      const content = await readPlainFile(path);
      if (content && engine.isInput(name, content)) paths.push(path);
    }
  }
  const inputs = await parts.unsent.save(spec, paths);
  if (inputs > 0) parts.log.info({ inputs }, 'inputs of an earlier run saved');
}

/** Raises the hits of crashes that wait in the spool, and keeps those of others for the master. */
async function saveHits({ spool, hits: leftover }: LeftoverParts, path: string, lease: Lease) {
  const hits: CrashHits[] = [];
  for (const { sha256, crashId, total } of await readHits(path)) {
    const isWaiting = await spool.raiseHits(lease, sha256, total);
    if (!isWaiting && crashId !== '') hits.push({ crashId, hits: total });
  }
  if (hits.length > 0) await leftover.save(basename(path), { lease, hits });
}

async function saveCrashes(
  parts: LeftoverParts,
  { engine, folder, spec, lease }: LeftoverRun & { lease: Lease },
): Promise<void> {
  const { spool, log } = parts;
  const logs = new SanitizerLogs(folder.logs, secretsLeftBy(spec.environment));
  let replays = 0;
  let saved = 0;
  for (const name of (await listing(folder.artifacts)).filter(engine.isCrash)) {
    const file = join(folder.artifacts, name);
    const input = await readPlainFile(file);
    if (!input || !engine.isWhole(name, input)) continue;
    const { mtimeMs } = await stat(file);
    let report = composeReport([], await logs.take([], mtimeMs));
    if (!readCrashReport(report).isKnown && replays++ < mostReplays) {
      report = (await replayed({ ...parts, engine, folder, spec }, input)) || report;
    }
    report ||= lostReport;
    const { key } = keyOf(report);
    await spool.add({ lease, input, report, context: undefined, hits: 1, key });
    saved += 1;
  }
  if (saved > 0) log.warn({ ...lease, crashes: saved }, 'crashes of an earlier run saved');
  if (engine.resumes) await parts.states.keep(lease.jobId, folder.state);
}

interface LeftoverReplay extends Pick<LeftoverParts, 'containment' | 'log'> {
  readonly engine: Engine;
  readonly folder: RunFolder;
  readonly spec: JobSpec;
}

/** Brings crashes out of the engine's own files. */
async function collected(engine: Engine, folder: RunFolder, spec: JobSpec): Promise<void> {
  const start = { ...folder, sanitizerLogs: folder.logs, seconds: 1, runs: undefined, spec };
  await engine.observe(start, () => {}).collect(true);
}

/** Report of a replay; '' where the target is gone, or the input does nothing. */
async function replayed(
  { engine, folder, spec, containment, log }: LeftoverReplay,
  input: Buffer,
): Promise<string> {
  const { signal } = new AbortController();
  const run = { name: basename(folder.path), folder: folder.path, bounds: boundsOf(spec) };
  const contained = await containment.forRun(run);
  const { tools } = contained;
  try {
    await makeFolder(folder.work); // a bot of 0.1.0 made none
    const found = await replay(input, { spec, engine, folder, tools, clock: systemClock, signal });
    return readCrashReport(found.report).isKnown ? found.report : '';
  } catch (error) {
    log.warn({ why: messageOf(error) }, 'crash replay failed');
    return '';
  } finally {
    await contained.release();
  }
}

const listing = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
