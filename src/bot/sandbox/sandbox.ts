import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { systemClock } from '../../core/clock.js';
import { Output, openOutputPipe } from './output-pipe.js';
import { findProgram } from './programs.js';

/** What a sandbox runs. */
export interface SandboxCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Working folder. */
  readonly cwd: string;
  /** Longest file it may write, bytes. */
  readonly maxFileBytes: number;
  /** Called with what it prints, standard output and standard error in the order of printing. */
  readonly onOutput: (chunk: Buffer) => void;
}

export interface SandboxExit {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Sandbox {
  readonly pid: number;
  /** Resolves when the process has ended, its group is gone and its output was handed over. */
  readonly exited: Promise<SandboxExit>;
  /** The signal to the whole group, and SIGKILL `graceMs` later to what is left of it. */
  stop(graceMs: number, signal?: NodeJS.Signals): void;
  /** SIGKILL to the whole group. */
  kill(): void;
}

/** Leaders of the process groups that live now. */
const groups = new Set<number>();

/** Kills every process group started here; the last thing a bot does, however it ends. */
export function killEverything(): void {
  for (const pid of groups) signalGroup(pid, 'SIGKILL');
}

/**
 * Programs that, put before the command, keep its core dumps and file sizes in
 * bounds and let it die with the bot. `exec` chains them, so the pid stays.
 */
export interface SandboxTools {
  readonly setpriv: string | undefined;
  readonly prlimit: string | undefined;
}

export function findSandboxTools(path?: string): SandboxTools {
  return { setpriv: findProgram(['setpriv'], path), prlimit: findProgram(['prlimit'], path) };
}

/**
 * Starts nothing when the bot has died already: then the parent is another. Both outputs go
 * into one stream, which alone keeps their order.
 */
const orphanCheck = ['/bin/sh', '-c', '[ "$PPID" = "$0" ] && exec "$@" >&2', String(process.pid)];

/**
 * Starts a command in a process group of its own, at a lower priority than the
 * bot's, and first in line when memory runs out.
 *
 * @throws the system's error (EAGAIN, ENOMEM, ENOENT, ...) when nothing could be started
 */
export async function startSandbox(tools: SandboxTools, command: SandboxCommand): Promise<Sandbox> {
  const [file, ...args] = [
    ...(tools.setpriv ? [tools.setpriv, '--pdeathsig', 'KILL', '--', ...orphanCheck] : []),
    ...(tools.prlimit ? [tools.prlimit, '--core=0', `--fsize=${command.maxFileBytes}`, '--'] : []),
    command.file,
    ...command.args,
  ];
  const pipe = await openOutputPipe();
  const child = spawn(file as string, args, {
    cwd: command.cwd,
    env: command.environment,
    detached: true,
    stdio: [
      'ignore',
      ...(pipe ? [pipe.writeFd, pipe.writeFd] : ['pipe' as const, 'pipe' as const]),
    ],
  });
  const output = new Output(child, pipe, command.onOutput);
  await output.spawned();
  const pid = child.pid as number;
  groups.add(pid);
  yieldToTheBot(pid);
  const exited = ended(child, pid, output);
  return {
    pid,
    exited,
    kill: () => signalGroup(pid, 'SIGKILL'),
    stop(graceMs, signal = 'SIGTERM') {
      signalGroup(pid, signal);
      const timer = systemClock.schedule(graceMs, () => signalGroup(pid, 'SIGKILL'));
      exited.finally(() => timer.cancel());
    },
  };
}

async function ended(child: ChildProcess, pid: number, output: Output): Promise<SandboxExit> {
  return new Promise((resolve) => {
    child.once('exit', async (code, signal) => {
      // Before anything else: after this turn the pid may come to mean something else.
      signalGroup(pid, 'SIGKILL');
      groups.delete(pid);
      // A descendant that left the group may hold the pipe open; it is not waited for.
      const timer = systemClock.schedule(drainMs, () => output.destroy());
      await output.closed;
      timer.cancel();
      resolve({ code, signal });
    });
  });
}

/** Time to read what a dead process left in its pipe, milliseconds. */
const drainMs = 1000;

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (!groups.has(pid)) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}

/** Heartbeats go before fuzzing: for the scheduler, and when the kernel has to kill. */
function yieldToTheBot(pid: number): void {
  try {
    setPriority(pid, 5);
    writeFileSync(`/proc/${pid}/oom_score_adj`, '500');
  } catch {
    // Only a courtesy; the process may have ended already.
  }
}
