import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './programs.js';
import type { Sink } from './secrets.js';

/** A pipe for the output of one process. */
export interface OutputPipe {
  readonly stream: Socket;
  /** For the process; to be closed here once it has been started. */
  readonly writeFd: number;
  closeWriteEnd(): void;
}

const mkfifo = findProgram(['mkfifo']);

/**
 * A pipe of the kernel's. Node itself gives a process a pair of sockets, where each short
 * line is a packet: a target that prints one for each execution is half as fast then
 * (docs/decisions/0354-output-by-pipe.md). The pipe has a name only until both ends are open.
 *
 * @returns undefined where no such pipe can be made
 */
export async function openOutputPipe(): Promise<OutputPipe | undefined> {
  if (!mkfifo) return undefined;
  let folder: string | undefined;
  const fds: number[] = [];
  try {
    folder = await mkdtemp(join(tmpdir(), 'pandafuzz-pipe-'));
    const path = join(folder, 'output');
    await promisify(execFile)(mkfifo, ['-m', '600', path]);
    const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    fds.push(readFd);
    const writeFd = openSync(path, constants.O_WRONLY);
    fds.push(writeFd);
    const stream = new Socket({ fd: readFd, readable: true, writable: false });
    return { stream, writeFd, closeWriteEnd: () => closeSync(writeFd) };
  } catch {
    for (const fd of fds) closeSync(fd);
    return undefined; // e.g. a full disk
  } finally {
    if (folder) rmSync(folder, { recursive: true, force: true });
  }
}

/** What a process prints, from its start to the moment when nobody can print any more. */
export class Output {
  /** Resolves when all of it was handed over. */
  readonly closed: Promise<unknown>;

  /** @param pipe of which the process has the other end; undefined: its own two outputs */
  constructor(
    private readonly child: ChildProcess,
    private readonly pipe: OutputPipe | undefined,
    sink: Sink,
  ) {
    for (const stream of this.#streams) stream.on('data', sink.push);
    this.closed = Promise.all([
      new Promise<void>((resolve) => child.once('close', () => resolve())),
      pipe && new Promise<void>((resolve) => pipe.stream.once('close', () => resolve())),
    ]).then(() => sink.end());
  }

  /** Resolves when the process has been started. @throws the system's error */
  async spawned(): Promise<void> {
    try {
      await once(this.child, 'spawn');
    } catch (error) {
      this.destroy();
      throw error;
    } finally {
      this.pipe?.closeWriteEnd();
    }
  }

  destroy(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  get #streams() {
    const { stdout, stderr } = this.child;
    return [this.pipe?.stream, stdout, stderr].filter((stream) => stream != null);
  }
}
