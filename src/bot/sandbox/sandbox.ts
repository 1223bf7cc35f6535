import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import { sleep, systemClock } from '../../core/clock.js';
import type { Logger } from '../../core/log.js';
import type { BrokenBound } from './bounds.js';
import type { Cgroup } from './cgroups.js';
import { watchDisk } from './disk-use.js';
import { gateShut } from './gate.js';
import { mendFolders, type Seen } from './hand-over.js';
import { Output, openOutputPipe } from './output-pipe.js';
import { childPid } from './status-line.js';
import type { SandboxTools } from './tools-of-run.js';
import type { Way } from './ways.js';

export type { SandboxTools } from './tools-of-run.js';

/** What a sandbox runs. */
export interface SandboxCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** Over the few variables that every run has (environment.ts); nothing is the bot's own. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Working folder. */
  readonly cwd: string;
  /** Longest file it may write, bytes. */
  readonly maxFileBytes: number;
  /** Called with what it prints, standard output and standard error in the order of printing. */
  readonly onOutput: (chunk: Buffer) => void;
  /** Files and folders that it reads besides its run's folder and the system's programs. */
  readonly readable?: readonly string[];
}

export interface SandboxExit {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The bound for which it was ended. */
  readonly broken?: BrokenBound;
  /** The bound in words. */
  readonly why?: string;
}

export interface Sandbox {
  readonly pid: number;
  /**
   * Resolves when the process has ended, whatever it left behind is gone, and its output was
   * handed over. Rejects with SandboxError when the sandbox could not be set up.
   */
  readonly exited: Promise<SandboxExit>;
  /** A signal to all of its processes, and SIGKILL `graceMs` later to what is left of them. */
  stop(graceMs: number, signal?: NodeJS.Signals): void;
  /** SIGKILL to all of it. */
  kill(): void;
}

/** The bot's trouble: what should hold the run could not be set up. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError';
}

/** Those that live now. */
const living = new Set<Enclosed>();

/** Kills everything started here; the last thing a bot does, however it ends. */
export function killEverything(): void {
  for (const one of living) {
    one.kill();
    one.cgroup?.endNow();
  }
}

/** For output of a dead process to be read, and for its helper to end what is left, milliseconds. */
const drainMs = 1000;
const helperMs = 2000;
/** For the namespaces of a run to be gone after what held them, milliseconds. */
const namespaceMs = 2000;
const lookAgainMs = 5;
const never = new AbortController().signal;
/** Of the output, bytes: what a program in front of the engine complains of comes first. */
const firstOutputBytes = 512;

/**
 * Starts a command by the way and with the limits of its run, at a lower priority than the
 * bot's, and first in line when memory runs out.
 *
 * @throws the system's error (EAGAIN, ENOMEM, ...) when nothing could be started
 */
export async function startSandbox(tools: SandboxTools, command: SandboxCommand): Promise<Sandbox> {
  const prepared = await tools.prepare(command);
  const { argv, way, cgroup, mark } = prepared;
  const [file, ...args] = argv;
  try {
    const pipe = await openOutputPipe();
    const child = spawn(file as string, args, {
      cwd: prepared.cwd,
      env: prepared.outerEnvironment,
      detached: true,
      stdio: [
        'ignore',
        ...(pipe ? [pipe.writeFd, pipe.writeFd] : ['pipe' as const, 'pipe' as const]),
        way === 'bubblewrap' ? 'pipe' : 'ignore',
      ],
    });
    const enclosed = new Enclosed(child, way, cgroup, mark);
    const first = new FirstOutput(command.onOutput);
    const cut = tools.secrets.cutter((chunk) => first.push(chunk));
    const output = new Output(child, pipe, cut);
    await output.spawned();
    return enclosed.run(tools, { output, first, seen: prepared.seen });
  } catch (error) {
    await cgroup?.end();
    throw error;
  }
}

interface Started {
  readonly output: Output;
  readonly first: FirstOutput;
  readonly seen: Seen;
}

/** A process with everything that it starts. */
class Enclosed {
  #broken: BrokenBound | undefined;
  #hasEnded = false;
  readonly #inside: Promise<number | undefined>;

  constructor(
    private readonly child: ChildProcess,
    private readonly way: Way,
    readonly cgroup: Cgroup | undefined,
    private readonly mark: string,
  ) {
    const status = child.stdio[3] as Readable | null;
    this.#inside = status ? childPid(status) : Promise.resolve(undefined);
  }

  get #pid(): number {
    return this.child.pid as number;
  }

  run(tools: SandboxTools, { output, first, seen }: Started): Sandbox {
    living.add(this);
    yieldToTheBot(this.#pid);
    const { folder, bounds, log } = tools;
    const onFull = () => {
      this.#broken = 'disk';
      this.kill();
    };
    const watch =
      folder === undefined
        ? undefined
        : watchDisk({ folder, boundBytes: bounds.diskBytes, onFull, log });
    watch?.start();
    const exited = this.#ended(output, first, tools)
      .finally(() => watch?.stop())
      .finally(() => this.#mend(seen, log))
      .then((exit) => (exit.broken ? { ...exit, why: tools.wordsOf(exit.broken) } : exit));
    return {
      pid: this.#pid,
      exited,
      kill: () => this.kill(),
      stop: (graceMs, signal = 'SIGTERM') => this.#stop(graceMs, signal, exited),
    };
  }

  #stop(graceMs: number, signal: NodeJS.Signals, exited: Promise<unknown>): void {
    void this.#signal(signal);
    const timer = systemClock.schedule(graceMs, () => this.kill());
    const done = () => timer.cancel();
    exited.then(done, done);
  }

  /** To the engine, past what holds it: bubblewrap would end at once, with all that is in it. */
  async #signal(signal: NodeJS.Signals): Promise<void> {
    switch (this.way) {
      case 'bubblewrap': {
        const inside = await this.#inside;
        if (inside !== undefined && !this.#hasEnded) send(-inside, signal);
        return;
      }
      case 'subreaper':
        return this.#hasEnded ? undefined : send(this.#pid, signal);
      case 'unshare': {
        const init = await firstChild(this.#pid);
        return this.#hasEnded || init === undefined ? undefined : send(init, signal);
      }
      default:
        return this.#hasEnded ? undefined : send(-this.#pid, signal);
    }
  }

  kill(): void {
    if (this.#hasEnded) return;
    this.cgroup?.killNow();
    if (this.way !== 'subreaper') {
      send(-this.#pid, 'SIGKILL');
      return;
    }
    // The helper ends what it has found; it is ended itself when it does not.
    send(this.#pid, 'SIGQUIT');
    const timer = systemClock.schedule(helperMs, () => {
      if (!this.#hasEnded) send(-this.#pid, 'SIGKILL');
    });
    this.child.once('exit', () => timer.cancel());
  }

  async #ended(output: Output, first: FirstOutput, tools: SandboxTools): Promise<SandboxExit> {
    const { child, cgroup } = this;
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      child.once('exit', (...exit) => {
        // Before anything else: after this turn the pid may come to mean something else.
        send(-this.#pid, 'SIGKILL');
        this.#hasEnded = true;
        resolve(exit);
      });
    });
    if (await cgroup?.isOutOfMemory()) this.#broken ??= 'memory';
    await this.#clearUp(signal, tools);
    living.delete(this);
    // A descendant may hold the pipe open; it is not waited for.
    const timer = systemClock.schedule(drainMs, () => {
      output.destroy();
      for (const stream of child.stdio) stream?.destroy();
    });
    await output.closed;
    timer.cancel();
    this.#expectHeld(code, first.text);
    const broken = this.#broken && { broken: this.#broken };
    return { ...(this.way === 'group' ? { code, signal } : unwrapped(code, signal)), ...broken };
  }

  /** After the end of the process that was started: nothing that came from it may be left. */
  async #clearUp(signal: NodeJS.Signals | null, tools: SandboxTools): Promise<void> {
    const { cgroup, way } = this;
    await cgroup?.end().catch((error) => tools.log.warn({ err: error }, 'cgroup not removed'));
    if (way === 'bubblewrap') await untilGone(await this.#inside);
    const isHelperLost = way === 'subreaper' && signal !== null;
    if (isHelperLost || way === 'group') await tools.killStrays(this.mark);
  }

  async #mend(seen: Seen, log: Logger): Promise<void> {
    const replaced = await mendFolders(seen).catch((error) => {
      log.error({ err: error }, "a run's folders could not be looked at");
      return [];
    });
    if (replaced.length > 0) log.warn({ replaced }, 'the target replaced folders of its run');
  }

  /** @throws SandboxError when one of the programs in front of the engine has complained */
  #expectHeld(code: number | null, output: string): void {
    const isGate = code === gateShut && /cgroup\.procs/.test(output);
    const isBubblewrap = this.way === 'bubblewrap' && code === 1 && /^bwrap: /.test(output);
    const isUnshare = this.way === 'unshare' && code === 1 && /^(unshare|mount): /.test(output);
    if (isGate || isBubblewrap || isUnshare) {
      throw new SandboxError(`the sandbox could not be set up: ${output.trim()}`);
    }
  }
}

/** What is in front of an engine ends with 128 and the number of the signal that ended it. */
function unwrapped(code: number | null, signal: NodeJS.Signals | null): SandboxExit {
  if (code === null || code <= 128) return { code, signal };
  const names = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  const name = names.find(([, number]) => number === code - 128)?.[0];
  return name === undefined ? { code, signal } : { code: null, signal: name };
}

/** Process 1 of a namespace, as the bot sees it. */
async function firstChild(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1').catch(() => '');
  return Number.parseInt(text, 10) || undefined;
}

/** The process that stands for a namespace is killed by the kernel; it takes a moment. */
async function untilGone(pid: number | undefined): Promise<void> {
  const deadlineMs = systemClock.monotonic() + namespaceMs;
  while (pid !== undefined && systemClock.monotonic() < deadlineMs) {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
    if (text === '' || /\) [ZX] /.test(text)) return;
    await sleep(systemClock, lookAgainMs, never);
  }
}

/** Passes output on, and keeps the beginning of it. */
class FirstOutput {
  #text = '';

  constructor(private readonly onOutput: (chunk: Buffer) => void) {}

  push(chunk: Buffer): void {
    if (this.#text.length < firstOutputBytes) {
      this.#text += chunk.toString('utf8', 0, firstOutputBytes);
    }
    this.onOutput(chunk);
  }

  get text(): string {
    return this.#text.slice(0, firstOutputBytes);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}

/** Heartbeats go before fuzzing. */
function yieldToTheBot(pid: number): void {
  try {
    setPriority(pid, 5);
  } catch {
    // Only a courtesy; the process may have ended already.
  }
}
