import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemClock } from '../../core/clock.js';
import { messageOf } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';
import type { Logger } from '../../core/log.js';
import { readCrashReport } from '../../crash/report.js';
import { JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { Engine } from '../engines/engine.js';
import type { FoundEngines } from '../engines/found.js';
import { composeReport } from '../findings/evidence.js';
import { SanitizerLogs } from '../findings/sanitizer-logs.js';
import type { Spool } from '../findings/spool.js';
import { leaseOfRunFolder, type RunFolder, runFolderAt } from '../folders/run-folder.js';
import type { Containment } from '../sandbox/containment.js';
import { readPlainFile } from '../sandbox/plain-file.js';
import { killStrays } from '../sandbox/strays.js';
import { boundsOf } from './bounds.js';
import { replay } from './replay.js';

/** Stands for what the engine printed, which died with the bot. */
const lostReport =
  'The bot ended while the engine was writing this input down; what the engine printed of it is lost.';

/** Replays before the bot takes work; crashes after them keep the report that they have. */
const mostReplays = 16;

export interface LeftoverParts {
  /** Folder of all runs. */
  readonly runs: string;
  readonly spool: Spool;
  readonly engines: FoundEngines;
  readonly containment: Containment;
  readonly log: Logger;
}

/**
 * Clears up after a bot that was killed: ends processes that still work in its runs' folders,
 * puts crashes that never reached the spool into it, and removes the folders. The work folder
 * must be claimed before.
 */
export async function clearLeftovers(parts: LeftoverParts): Promise<void> {
  const { runs, log } = parts;
  await killStrays({ folder: runs }, log);
  for (const name of await readdir(runs)) {
    const lease = leaseOfRunFolder(name);
    try {
      if (lease) await saveCrashes(parts, join(runs, name), lease);
      await rm(join(runs, name), { recursive: true, force: true });
    } catch (error) {
      // As on a full disk: the bot works on, and its next start tries again.
      log.error({ run: name, why: messageOf(error) }, 'earlier run not cleared');
    }
  }
}

async function saveCrashes(parts: LeftoverParts, path: string, lease: Lease): Promise<void> {
  const { spool, engines, log } = parts;
  const spec = await readFile(join(path, 'spec.bin')).then(JobSpec.decode, () => JobSpec.create());
  const folder = runFolderAt(path, spec.targetName);
  const logs = new SanitizerLogs(folder.logs);
  // A machine that has lost the engine still knows the names of libFuzzer's artifacts.
  const engine = (engines.get(spec.engine) ?? engines.get('libfuzzer'))?.engine;
  if (!engine) return;
  await collected(engine, folder, spec).catch((error) =>
    log.warn({ why: messageOf(error) }, 'engine files unreadable'),
  );
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
    await spool.add({ lease, input, report: report || lostReport, context: undefined, hits: 1 });
    saved += 1;
  }
  if (saved > 0) log.warn({ ...lease, crashes: saved }, 'crashes of an earlier run saved');
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
