import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/log.js';
import type { JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import { removeInputs } from '../corpus/inputs.js';
import type { Engine, EngineProgress, EngineStart } from '../engines/engine.js';
import type { Findings } from '../findings/findings.js';
import type { SanitizerLogs } from '../findings/sanitizer-logs.js';
import type { Spool } from '../findings/spool.js';
import { emptyFolder, type RunFolder } from '../folders/run-folder.js';
import type { SandboxExit, SandboxTools } from '../sandbox/sandbox.js';
import { BrokenBoundError } from './bounds.js';
import { Harvest } from './harvest.js';
import { countFiles, runProcesses } from './processes.js';
import { replay } from './replay.js';
import type { Tally } from './tally.js';

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

/** One start of the engine, after its end. */
export interface EndedStart {
  readonly exit: SandboxExit;
  readonly harvest: Harvest;
  readonly progress: EngineProgress;
  /** It came to fuzz: as the engine printed it or, where it prints nothing, as its files show. */
  readonly isFuzzing: boolean;
  /** Crashing inputs taken out of corpus and seeds. */
  readonly removed: number;
  readonly lastWords: string;
}

/** Runs the engine to its end, once, and brings its crashes to the spool. */
export async function runEngine(
  parts: StartParts,
  { leftMs, runs }: { leftMs: number; runs: number | undefined },
): Promise<EndedStart> {
  const { engine, engineVersion, folder, spec, tally, logs } = parts;
  const start: EngineStart = {
    spec,
    runs,
    sanitizerLogs: logs.prefix,
    seconds: Math.max(1, Math.ceil(leftMs / 1000)),
    target: folder.target,
    corpus: folder.corpus,
    seeds: folder.seeds,
    artifacts: folder.artifacts,
    state: folder.state,
  };
  await emptyFolder(folder.temporary);
  await engine.prepare(start);
  const commands = (await engine.start(start)).map((command) => ({
    ...command,
    environment: { TMPDIR: folder.temporary, ...command.environment },
  }));
  const [command] = commands;
  if (!command) throw new RangeError(`${engine.name} has no command to start`);
  const harvest = new Harvest({
    ...parts,
    executions: () => tally.executions,
    start: { engine: engine.name, engineVersion, spec, command, environment: command.environment },
    replay: (input) => replay(input, parts),
  });
  const observer = engine.observe(start, (artifact) => harvest.written(artifact));
  const filesBefore = await countFiles(folder.corpus);
  const exit = await runProcesses(parts, commands, observer, leftMs)
    .finally(() => harvest.ended())
    .then(async (exit) => {
      await harvest.finish(exit);
      return exit;
    });
  if (exit.broken === 'disk') throw new BrokenBoundError(exit.why ?? '');
  const { progress } = observer;
  const removed = progress.isFuzzing
    ? 0
    : await removeInputs(folder, harvest.inputs, spec.limits?.maxInputBytes || longestInputBytes);
  const hasGrown = (await countFiles(folder.corpus)) + removed > filesBefore;
  const rest = await logs.takeRest();
  const words = [observer.lastWords, harvest.hits === 0 ? rest : ''];
  return {
    exit,
    harvest,
    progress,
    removed,
    isFuzzing:
      progress.isFuzzing || (progress.isSilent && removed === 0 && showsWork(harvest, hasGrown)),
    lastWords: words.filter((text) => text !== '').join('\n'),
  };
}

/**
 * Whether files show that an engine that printed nothing came to fuzz: a new input in the
 * corpus, or one that crashes and is not among the two that libFuzzer begins with.
 */
const showsWork = ({ inputs }: Harvest, hasGrown: boolean) =>
  hasGrown || inputs.some((input) => input.length > 1);
