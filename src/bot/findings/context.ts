import type { CrashContext } from '../../gen/pandafuzz/v1/crash.js';
import type { JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { EngineCommand } from '../engines/engine.js';
import type { SandboxExit } from '../sandbox/sandbox.js';

/** What the contract allows for a command line, and for an environment. */
const mostEntries = 256;
const mostBytes = 32 * 1024;

/** What is the same for all crashes of one start. */
export interface StartContext {
  readonly engine: string;
  readonly engineVersion: string;
  readonly spec: Pick<JobSpec, 'targetSha256'>;
  readonly command: EngineCommand;
  /** Everything that the bot sets for the target. */
  readonly environment: Readonly<Record<string, string>>;
}

export function crashContext(crash: {
  readonly start: StartContext;
  /** undefined while the process lives on, as one that forks does. */
  readonly exit: SandboxExit | undefined;
  readonly executions: number;
  /** The report's own command, where a replay made it. */
  readonly replayCommand: EngineCommand | undefined;
}): CrashContext {
  const { start, exit, executions, replayCommand } = crash;
  const command = replayCommand ?? start.command;
  const environment = { ...start.environment, ...replayCommand?.environment };
  return {
    exitCode: exit?.code ?? undefined,
    signal: exit?.signal ?? '',
    command: within([command.file, ...command.args], (argument) => [argument]),
    environment: Object.fromEntries(
      within(Object.entries(environment), ([name, value]) => [name, value]),
    ),
    engine: start.engine,
    engineVersion: start.engineVersion,
    targetSha256: start.spec.targetSha256,
    executions,
    replayed: replayCommand !== undefined,
  };
}

/** As many entries from the first on as the contract allows. */
function within<T>(entries: readonly T[], textsOf: (entry: T) => readonly string[]): T[] {
  let sizeBytes = 0;
  const tooMany = entries.findIndex((entry, index) => {
    for (const text of textsOf(entry)) sizeBytes += Buffer.byteLength(text);
    return index >= mostEntries || sizeBytes > mostBytes;
  });
  return tooMany < 0 ? [...entries] : entries.slice(0, tooMany);
}
