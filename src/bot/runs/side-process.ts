import type { EngineCommand } from '../engines/engine.js';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.js';
import { maxFileBytes } from './bounds.js';
import type { StartParts } from './start.js';

export interface SideProcessOptions {
  readonly cwd: string;
  /** Its TMPDIR. */
  readonly temporary: string;
  /** Between SIGTERM and SIGKILL when the run is stopped, milliseconds. */
  readonly stopGraceMs: number;
  /** After this it is killed, milliseconds. Absent: it has no such end. */
  readonly limitMs?: number;
  readonly onOutput?: (chunk: Buffer) => void;
}

/**
 * Starts a process of the engine that does not fuzz, such as a replay or a merge. It is stopped
 * with its run.
 *
 * @throws the system's error when it cannot be started, e.g. ENOSPC
 */
export async function startSideProcess(
  { tools, clock, signal }: Pick<StartParts, 'tools' | 'clock' | 'signal'>,
  command: EngineCommand,
  { cwd, temporary, stopGraceMs, limitMs, onOutput = () => {} }: SideProcessOptions,
): Promise<Sandbox> {
  const sandbox = await startSandbox(tools, {
    file: command.file,
    args: command.args,
    environment: { TMPDIR: temporary, ...command.environment },
    cwd,
    readable: command.readable ?? [],
    maxFileBytes,
    onOutput,
  });
  const limit = limitMs === undefined ? undefined : clock.schedule(limitMs, () => sandbox.kill());
  const onAbort = () => sandbox.stop(stopGraceMs);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const exited = sandbox.exited.finally(() => {
    limit?.cancel();
    signal.removeEventListener('abort', onAbort);
  });
  return { ...sandbox, exited };
}
