import { readdir } from 'node:fs/promises';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import type { JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import { removeInputs } from '../corpus/inputs.js';
import type { Engine, EngineProgress, EngineReader } from '../engines/engine.js';
import type { Findings } from '../findings/findings.js';
import type { SanitizerLogs } from '../findings/sanitizer-logs.js';
import type { Spool } from '../findings/spool.js';
import type { RunFolder } from '../folders/run-folder.js';
import { type SandboxExit, type SandboxTools, startSandbox } from '../sandbox/sandbox.js';
import { maxFileBytes } from './bounds.js';
import { Harvest } from './harvest.js';
import { replay } from './replay.js';
import type { Tally } from './tally.js';

/** Time past its limit after which an engine is killed, milliseconds. */
const overtimeMs = 10_000;
/** Between SIGTERM, at which libFuzzer prints its figures, and SIGKILL, milliseconds. */
const stopGraceMs = 500;
/** Between two looks at the corpus of an engine that prints nothing, milliseconds. */
const silentLookMs = 5000;
/** libFuzzer takes no more of any input, bytes. */
const longestInputBytes = 2 ** 20;

export interface StartParts {
  readonly lease: Lease;
  readonly spec: JobSpec;
  readonly engine: Engine;
  readonly engineVersion: string;
  readonly folder: RunFolder;
  readonly tools: SandboxTools;
  readonly tally: Tally;
  readonly findings: Findings;
  readonly spool: Spool;
  readonly logs: SanitizerLogs;
  readonly log: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** One process of the engine, after its end. */
export interface EndedStart {
  readonly exit: SandboxExit;
  readonly harvest: Harvest;
  readonly progress: EngineProgress;
  /** It came to fuzz: as the engine printed it or, where it prints nothing, as its files show. */
  readonly isFuzzing: boolean;
  /** Crashing inputs taken out of corpus and seeds. */
  readonly removed: number;
  readonly lastWords: string;
  /** What is wrong with the job's arguments for certain. */
  readonly complaint: string | undefined;
}

/** Runs one process of the engine to its end, and brings its crashes to the spool. */
export async function runEngine(
  parts: StartParts,
  { leftMs, runs }: { leftMs: number; runs: number | undefined },
): Promise<EndedStart> {
  const { engine, engineVersion, folder, spec, tally, logs } = parts;
  const command = engine.command({
    spec,
    runs,
    sanitizerLogs: logs.prefix,
    seconds: Math.max(1, Math.ceil(leftMs / 1000)),
    target: folder.target,
    corpus: folder.corpus,
    seeds: folder.seeds,
    artifacts: folder.artifacts,
  });
  const environment = { TMPDIR: folder.temporary, ...command.environment };
  const harvest = new Harvest({
    ...parts,
    executions: () => tally.executions,
    start: { engine: engine.name, engineVersion, spec, command, environment },
    replay: (input) => replay(input, parts),
  });
  const reader = engine.reader((artifact) => harvest.written(artifact));
  const filesBefore = await countFiles(folder.corpus);
  const exit = await engineProcess(parts, { ...command, environment }, reader, leftMs)
    .finally(() => harvest.ended())
    .then(async (exit) => {
      await harvest.finish(exit);
      return exit;
    });
  const { progress } = reader;
  const removed = progress.isFuzzing
    ? 0
    : await removeInputs(folder, harvest.inputs, spec.limits?.maxInputBytes || longestInputBytes);
  const hasGrown = (await countFiles(folder.corpus)) + removed > filesBefore;
  const rest = await logs.takeRest();
  const words = [reader.lastWords, harvest.hits === 0 ? rest : ''];
  return {
    exit,
    harvest,
    progress,
    removed,
    isFuzzing:
      progress.isFuzzing || (progress.isSilent && removed === 0 && showsWork(harvest, hasGrown)),
    lastWords: words.filter((text) => text !== '').join('\n'),
    complaint: reader.complaint,
  };
}

/**
 * Whether files show that an engine that printed nothing came to fuzz: a new input in the
 * corpus, or one that crashes and is not among the two that libFuzzer begins with.
 */
const showsWork = ({ inputs }: Harvest, hasGrown: boolean) =>
  hasGrown || inputs.some((input) => input.length > 1);

/** Starts the engine and waits for its end; the reader has read all of its output then. */
async function engineProcess(
  parts: StartParts,
  command: { file: string; args: readonly string[]; environment: Record<string, string> },
  reader: EngineReader,
  leftMs: number,
): Promise<SandboxExit> {
  const { folder, tally, clock, signal, log } = parts;
  const sandbox = await startSandbox(parts.tools, {
    ...command,
    environment: { ...process.env, ...command.environment },
    cwd: folder.path,
    maxFileBytes,
    onOutput: (chunk) => {
      reader.push(chunk);
      tally.observe();
      if (reader.complaint !== undefined) sandbox.kill();
    },
  });
  tally.begin(reader);
  const work = async () => {
    if (reader.progress.isSilent) tally.countFiles(await countFiles(folder.corpus));
  };
  const name = 'a look at the corpus';
  const looks = new PeriodicTask({ clock, log, intervalMs: silentLookMs, name, work });
  looks.start();
  const onAbort = () => sandbox.stop(stopGraceMs);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const overtime = clock.schedule(leftMs + overtimeMs, () => sandbox.kill());
  try {
    const exit = await sandbox.exited;
    reader.end();
    log.debug({ pid: sandbox.pid, ...exit, ...reader.progress }, 'engine ended');
    return exit;
  } finally {
    overtime.cancel();
    signal.removeEventListener('abort', onAbort);
    await looks.stop();
    await work();
    tally.end();
  }
}

const countFiles = async (folder: string) => (await readdir(folder)).length;
