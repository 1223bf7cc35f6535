import { readdir } from 'node:fs/promises';
import { PeriodicTask } from '../../core/periodic-task.js';
import type { EngineCommand, EngineObserver } from '../engines/engine.js';
import { type Sandbox, type SandboxExit, startSandbox } from '../sandbox/sandbox.js';
import { removeSegmentsOf } from '../sandbox/shared-memory.js';
import { maxFileBytes } from './bounds.js';
import type { StartParts } from './start.js';

/** Time past its limit after which an engine is stopped, milliseconds. */
const overtimeMs = 10_000;
/** Between the stop signal, at which an engine writes its last figures, and SIGKILL, milliseconds. */
const stopGraceMs = 500;
/** Between two looks at the engine's files, milliseconds. */
const collectMs = 1000;
/** Between two looks at the corpus of an engine that prints nothing, milliseconds. */
const silentLookMs = 5000;

/**
 * Runs the processes of one start until the first has ended; the others are stopped then. The
 * observer has read all of their output and of their files after it.
 *
 * @throws the system's error when one could not be started
 */
export async function runProcesses(
  parts: StartParts,
  commands: readonly EngineCommand[],
  observer: EngineObserver,
  leftMs: number,
): Promise<SandboxExit> {
  const { folder, tally, clock, signal, log } = parts;
  const started: { sandbox: Sandbox; command: EngineCommand }[] = [];
  const stop = () => {
    for (const { sandbox, command } of started) sandbox.stop(stopGraceMs, command.stopSignal);
  };
  const looks = new Looks(parts, observer, stop);
  const overtime = clock.schedule(leftMs + overtimeMs, stop);
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (const command of commands) {
      started.push({ sandbox: await startOne(started.length, command), command });
    }
    tally.begin(observer);
    looks.start();
    if (signal.aborted) stop();
    const [leader] = started;
    const exit = await (leader as (typeof started)[number]).sandbox.exited;
    log.debug({ pid: leader?.sandbox.pid, ...exit, ...observer.progress }, 'engine ended');
    return exit;
  } finally {
    overtime.cancel();
    signal.removeEventListener('abort', stop);
    stop();
    await Promise.all(started.map(({ sandbox }) => sandbox.exited));
    await removeSegmentsOf(
      started.map(({ sandbox }) => sandbox.pid),
      true,
    );
    observer.end();
    await looks.stop();
    tally.end();
  }

  function startOne(index: number, command: EngineCommand): Promise<Sandbox> {
    return startSandbox(parts.tools, {
      file: command.file,
      args: command.args,
      environment: command.environment,
      cwd: folder.work,
      readable: command.readable ?? [],
      maxFileBytes,
      onOutput: (chunk) => {
        parts.output?.push(chunk);
        observer.push(chunk, index);
        tally.observe();
        if (observer.complaint !== undefined) stop();
      },
    });
  }
}

/**
 * Looks at files of one start: those that the engine writes, and how many are in the corpus.
 * `onEnough` is called when it has found as many crashes as its job wants, or is to be started
 * again.
 */
class Looks {
  readonly #collecting: PeriodicTask;
  readonly #counting: PeriodicTask;

  constructor(
    private readonly parts: StartParts,
    private readonly observer: EngineObserver,
    private readonly onEnough: () => void,
  ) {
    const { clock, log } = parts;
    const name = "a look at the engine's files";
    const collect = () => this.#collect(false);
    this.#collecting = new PeriodicTask({ clock, log, intervalMs: collectMs, name, work: collect });
    const counted = 'a look at the corpus';
    const count = () => this.#count();
    const counting = { clock, log, intervalMs: silentLookMs, name: counted, work: count };
    this.#counting = new PeriodicTask(counting);
  }

  start(): void {
    this.#collecting.start();
    this.#counting.start();
  }

  /** Looks a last time. */
  async stop(): Promise<void> {
    await this.#collecting.stop();
    await this.#counting.stop();
    await this.#collect(true);
    await this.#count();
  }

  async #collect(isLast: boolean): Promise<void> {
    const { findings, spec, tally } = this.parts;
    await this.observer.collect(isLast);
    tally.observe();
    // An engine that goes on after a crash does not end at the last one that is wanted.
    const maxCrashes = spec.limits?.maxCrashes || Number.POSITIVE_INFINITY;
    if (findings.distinct >= maxCrashes || this.observer.progress.isRestartDue) this.onEnough();
  }

  async #count(): Promise<void> {
    const { folder, tally } = this.parts;
    if (this.observer.progress.isSilent) tally.countFiles(await countFiles(folder.corpus));
  }
}

export const countFiles = async (folder: string) => (await readdir(folder)).length;
