import { access } from 'node:fs/promises';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/log.js';
import type { LogTail } from '../../core/log-tail.js';
import { PutAsideReason } from '../../gen/pandafuzz/v1/corpus_service.js';
import type { JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import { removeBrought, removeInputs } from '../corpus/inputs.js';
import type { PutAside } from '../corpus/put-aside.js';
import type { Engine, EngineProgress, EngineStart } from '../engines/engine.js';
import type { Findings } from '../findings/findings.js';
import type { HitsOnDisk } from '../findings/hits-on-disk.js';
import type { SanitizerLogs } from '../findings/sanitizer-logs.js';
import type { Spool } from '../findings/spool.js';
import { emptyFolder, type RunFolder } from '../folders/run-folder.js';
import type { SandboxExit, SandboxTools } from '../sandbox/sandbox.js';
import { askTarget } from './ask.js';
import { BrokenBoundError } from './bounds.js';
import type { CorpusFolders } from './corpus-part.js';
import { Grace } from './grace.js';
import { Harvest } from './harvest.js';
import { nameStack } from './name-stack.js';
import type { NamelessStacks } from './nameless-stacks.js';
import { countFiles, runProcesses } from './processes.js';
import { replay } from './replay.js';
import type { Tally } from './tally.js';

/** For replays of what a run has met when it is stopped, milliseconds: without them it has no name. */
const lateMs = 5000;
/** To name the stacks of what a run has met when it is stopped, milliseconds. */
const lateNamesMs = 10_000;
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
  readonly hits: Pick<HitsOnDisk, 'changed'>;
  readonly spool: Spool;
  /** Takes what crashes the target while it loads its corpus. */
  readonly aside: PutAside;
  readonly logs: SanitizerLogs;
  /** Takes what the engine prints, for people who look on. */
  readonly output?: Pick<LogTail, 'push'>;
  readonly log: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How the engine is started this time. */
export interface StartPlan {
  /** Time left for it. */
  readonly leftMs: number;
  /** Executions after which it ends; undefined for no such limit. */
  readonly runs: number | undefined;
  readonly withoutLeaks: boolean;
  /** Fatal signals are the sanitizer's: the target has ended by itself before. */
  readonly takesSignals: boolean;
  /** For a start whose stacks get no names. */
  readonly namelessStacks: NamelessStacks | undefined;
  /** In place of the run's own corpus and seeds. */
  readonly part?: CorpusFolders | undefined;
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
  /** What is wrong with the job's arguments for certain. */
  readonly complaint: string | undefined;
}

/** Runs the engine to its end, once, and brings its crashes to the spool. */
export async function runEngine(
  parts: StartParts,
  { leftMs, runs, withoutLeaks, takesSignals, namelessStacks, part }: StartPlan,
): Promise<EndedStart> {
  const { engine, engineVersion, folder, spec, tally, logs } = parts;
  const start: EngineStart = {
    spec,
    runs,
    sanitizerLogs: logs.prefix,
    seconds: Math.max(1, Math.ceil(leftMs / 1000)),
    target: folder.target,
    ask: askTarget(parts),
    corpus: part?.corpus ?? folder.corpus,
    seeds: part?.seeds ?? folder.seeds,
    artifacts: folder.artifacts,
    state: folder.state,
    withoutLeaks,
    takesSignals,
    withoutNames: namelessStacks !== undefined,
    dictionary: await dictionaryIn(folder),
  };
  await emptyFolder(folder.temporary);
  await engine.prepare(start);
  const commands = (await engine.start(start)).map((command) => ({
    ...command,
    environment: { TMPDIR: folder.temporary, ...command.environment },
  }));
  const [command] = commands;
  if (!command) throw new RangeError(`${engine.name} has no command to start`);
  const grace = new Grace(parts.clock, parts.signal, lateMs);
  const namesGrace = new Grace(parts.clock, parts.signal, lateNamesMs);
  const harvest = new Harvest({
    ...parts,
    signal: grace.signal,
    executions: () => tally.executions,
    start: { engine: engine.name, engineVersion, spec, command, environment: command.environment },
    replay: (input) => replay(input, { ...parts, signal: grace.signal }),
    nameStack: (report) =>
      nameStack(report, { ...parts, naming: engine.naming, signal: namesGrace.signal }),
    withoutLeaks,
    namelessStacks,
  });
  const observer = engine.observe(start, (artifact) => harvest.written(artifact));
  const filesBefore = await countFiles(folder.corpus);
  const exit = await runProcesses(parts, commands, observer, leftMs)
    .finally(() => harvest.ended())
    .then(async (exit) => {
      await harvest.finish(exit);
      return exit;
    })
    .finally(() => {
      grace.end();
      namesGrace.end();
    });
  if (exit.broken === 'disk') throw new BrokenBoundError(exit.why ?? '');
  tally.wroteReportFor(harvest.reportMs);
  const { progress } = observer;
  const onRemoved = (sha256: string, sizeBytes: number) =>
    parts.aside.add(sha256, sizeBytes, PutAsideReason.CRASH);
  if (progress.isFuzzing) await removeBrought(folder, harvest.inputs, onRemoved);
  const longest = spec.limits?.maxInputBytes || longestInputBytes;
  const removed = progress.isFuzzing
    ? 0
    : await removeInputs(folder, harvest.inputs, onRemoved, longest);
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
    complaint: observer.complaint,
  };
}

/**
 * Whether files show that an engine that printed nothing came to fuzz: a new input in the
 * corpus, or one that crashes and is not among the two that libFuzzer begins with.
 */
const showsWork = ({ inputs }: Harvest, hasGrown: boolean) =>
  hasGrown || inputs.some((input) => input.length > 1);

/** Path of the run's dictionary, if it has one. */
const dictionaryIn = ({ dictionary }: RunFolder): Promise<string | undefined> =>
  access(dictionary).then(
    () => dictionary,
    () => undefined,
  );
