import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nodeFlags } from '../src/cli/node-flags.js';
import type { Percentiles } from './latencies.js';

/** The load has a core of its own: the figures are the server's. */
const [serverCore, loadCore] = [0, 1];

export interface Look {
  /** Watches its event loop from now on, until the next look. */
  readonly watchLoopEveryMs?: number;
  readonly collect?: boolean;
}

export interface State {
  /** How late timers of the main thread fired since the look that began to watch. */
  readonly loopDelay: Percentiles;
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** What keeps its event loop alive, by kind: timers, sockets, streams. */
  readonly resources: Readonly<Record<string, number>>;
}

/** Settings of a master, as environment variables; parameters of the bare server. */
export type Settings = Readonly<Record<string, string>>;

const scripts = { master: './master.js', echo: './echo.js' };

/** A server in a process of its own, on a core of its own. */
export class ServerProcess {
  private constructor(
    readonly kind: keyof typeof scripts,
    readonly address: string,
    /** Holds its data and its log. */
    readonly directory: string,
    private readonly child: ChildProcess,
  ) {}

  /** "master": as it ships. "echo": the bare server that it is compared with. */
  static async start(kind: keyof typeof scripts, directory: string, settings: Settings) {
    const log = openSync(join(directory, 'log'), 'a');
    const child = fork(fileURLToPath(new URL(scripts[kind], import.meta.url)), [], {
      execArgv: ['--expose-gc', ...nodeFlags],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...settings },
      stdio: ['ignore', 1, log, 'ipc'],
    });
    closeSync(log);
    const address = await reply<string>(child);
    await pin(child.pid as number, serverCore);
    return new ServerProcess(kind, address, directory, child);
  }

  get pid(): number {
    return this.child.pid as number;
  }

  look(look: Look = {}): Promise<State> {
    this.child.send(look);
    return reply(this.child);
  }

  /** CPU seconds of all its threads since it was started. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8');
    const [, user, system] = /\) (?:\S+ ){11}(\d+) (\d+)/.exec(stat) ?? [];
    return (Number(user) + Number(system)) / 100;
  }

  /** Size of its write-ahead log; 0 without a database. */
  walBytes(): number {
    const path = join(this.directory, 'pandafuzz.db-wal');
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  async stop(): Promise<void> {
    this.child.disconnect();
    await once(this.child, 'exit');
  }

  /** With SIGKILL. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

/** The next message of a server. @throws Error when it ends instead */
function reply<T extends string | State>(child: ChildProcess): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const fail = (code: number) => reject(new Error(`a server has ended with ${code}: see its log`));
  child.once('message', (message) => resolve(message as T));
  child.once('exit', fail);
  return promise.finally(() => child.off('exit', fail));
}

/** As it ships. PANDAFUZZ_GRPC_FAST_PATH=off in the environment makes every figure the plain way's. */
export const startMaster = (directory: string, settings: Settings): Promise<ServerProcess> =>
  ServerProcess.start('master', directory, {
    PANDAFUZZ_GRPC_ADDRESS: '127.0.0.1:0',
    PANDAFUZZ_HTTP_ADDRESS: '127.0.0.1:0',
    PANDAFUZZ_DATA_DIRECTORY: directory,
    PANDAFUZZ_GRPC_FAST_PATH: process.env['PANDAFUZZ_GRPC_FAST_PATH'] ?? 'auto',
    ...settings,
  });

/** Moves this process, and what it starts from now on, to the core of the load. */
export const pinLoad = (): Promise<void> => pin(process.pid, loadCore);

/** Moves all threads of a process to one core; those it starts later go there too. */
async function pin(pid: number, core: number): Promise<void> {
  await promisify(execFile)('taskset', ['--all-tasks', '--cpu-list', '--pid', `${core}`, `${pid}`]);
}
