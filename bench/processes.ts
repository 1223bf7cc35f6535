import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Job } from '../src/gen/pandafuzz/v1/job.js';
import type { Percentiles } from './latencies.js';

/** Servers on one core, the load on the other: the figures are the server's. */
const serverCore = 0;
const loadCore = 1;

/** A request to a server's process. */
export interface Look {
  /** Watches its event loop from now on, until the next look. */
  readonly watchLoopEveryMs?: number;
  /** Collects garbage first. */
  readonly collect?: boolean;
}

/** The answer to a look. */
export interface State {
  /** How late timers of the main thread fired since the look that began to watch. */
  readonly loopDelay: Percentiles;
  readonly heapBytes: number;
  readonly rssBytes: number;
}

interface Program {
  /** The master, or the bare server it is compared with. */
  readonly kind: 'master' | 'echo';
  readonly environment: Readonly<Record<string, string>>;
  /** Holds its data, and its log. */
  readonly directory: string;
}

/** A server in a process of its own, on a core of its own. */
export class ServerProcess {
  private constructor(
    readonly address: string,
    private readonly program: Program,
    private readonly child: ChildProcess,
  ) {}

  static async start(program: Program): Promise<ServerProcess> {
    const { kind, environment, directory } = program;
    const log = openSync(join(directory, 'log'), 'a');
    const script = kind === 'master' ? './master.js' : './baseline/echo.js';
    const child = fork(fileURLToPath(new URL(script, import.meta.url)), [], {
      execArgv: ['--expose-gc'],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
      stdio: ['ignore', 1, log, 'ipc'],
    });
    closeSync(log);
    const address = await reply<string>(child);
    await pin(child.pid as number, serverCore);
    return new ServerProcess(address, program, child);
  }

  get kind(): Program['kind'] {
    return this.program.kind;
  }

  get directory(): string {
    return this.program.directory;
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
}

/** The next message of a server. @throws Error when it ends instead */
async function reply<T extends string | State>(child: ChildProcess): Promise<T> {
  const received = new AbortController();
  const { signal } = received;
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([message]) => message),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`a server has ended with ${code}: its log says why`);
      }),
    ]);
  } finally {
    received.abort();
  }
}

/** Settings of a master, as environment variables. */
export type Settings = Readonly<Record<string, string>>;

/** The master as it ships, with its data and its log in `directory`. */
export function startMaster(directory: string, settings: Settings): Promise<ServerProcess> {
  const environment = {
    PANDAFUZZ_GRPC_ADDRESS: '127.0.0.1:0',
    PANDAFUZZ_HTTP_ADDRESS: '127.0.0.1:0',
    PANDAFUZZ_DATA_DIRECTORY: directory,
    ...settings,
  };
  return ServerProcess.start({ kind: 'master', environment, directory });
}

/** The bare server. `job`: as a master answers it, so that both send as much. */
export function startEcho(job: Job, directory: string): Promise<ServerProcess> {
  const environment = { ECHO_JOB: JSON.stringify(Job.toJSON(job)), ECHO_FOLDER: directory };
  return ServerProcess.start({ kind: 'echo', environment, directory });
}

/** Moves this process, and what it starts from now on, to the core of the load. */
export const pinLoad = (): Promise<void> => pin(process.pid, loadCore);

/** Moves all threads of a process to one core; those it starts later go there too. */
async function pin(pid: number, core: number): Promise<void> {
  await promisify(execFile)('taskset', ['--all-tasks', '--cpu-list', '--pid', `${core}`, `${pid}`]);
}
