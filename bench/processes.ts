import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nodeFlags } from '../src/cli/node-flags.js';
import type { Percentiles } from './latencies.js';

/** Servers on one core, the load on the other: what is measured is the server. */

const serverCore = 0;
const loadCore = 1;

/** What a server can be asked; "stop" and to watch its loop have no answer. */
export type Ask = 'memory' | 'loop delay' | 'stop' | { readonly watchLoopEveryMs: number };

export interface Addresses {
  readonly address: string;
  /** Where it tells its metrics, if it has any. */
  readonly http?: string;
}

interface Memory {
  readonly heapBytes: number;
  readonly rssBytes: number;
}

/** From a server's process: where it listens, then answers. */
export type Told = Addresses | Memory | Percentiles;

/** A server in a process of its own, on a core of its own. */
export class ServerProcess {
  private constructor(
    readonly address: string,
    /** Where it tells its metrics; undefined of a baseline, which has none. */
    readonly http: string | undefined,
    readonly pid: number,
    private readonly child: ChildProcess,
  ) {}

  /** `script`: relative to bench/. `log`: where its standard error goes, if not to ours. */
  static async start(
    script: string,
    environment: Record<string, string> = {},
    log?: string,
  ): Promise<ServerProcess> {
    const stderr = log === undefined ? 2 : openSync(log, 'a');
    const child = fork(fileURLToPath(new URL(script, import.meta.url)), [], {
      execArgv: ['--expose-gc', ...nodeFlags],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
      stdio: ['ignore', 1, stderr, 'ipc'],
    });
    if (log !== undefined) closeSync(stderr);
    const { address, http } = await hear<Addresses>(child);
    const pid = child.pid as number;
    await pin(pid, serverCore);
    return new ServerProcess(address, http, pid, child);
  }

  memory(): Promise<Memory> {
    this.child.send('memory' satisfies Ask);
    return hear(this.child);
  }

  /** From now on, until `loopDelay` tells of it. */
  watchLoop(everyMs: number): void {
    this.child.send({ watchLoopEveryMs: everyMs } satisfies Ask);
  }

  /** How late timers of its main thread fired since `watchLoop`. */
  loopDelay(): Promise<Percentiles> {
    this.child.send('loop delay' satisfies Ask);
    return hear(this.child);
  }

  /** CPU seconds of all its threads since it was started. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** What it has in memory now. */
  residentBytes(): number {
    const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'));
    return Number(kib?.[1]) * 1024;
  }

  async stop(): Promise<void> {
    this.child.send('stop' satisfies Ask);
    await once(this.child, 'exit');
  }
}

/** The next thing a server tells. @throws Error when it ends instead */
async function hear<T extends Told>(child: ChildProcess): Promise<T> {
  const heard = new AbortController();
  const { signal } = heard;
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([told]) => told),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`a server has ended with ${code}: its log says why`);
      }),
    ]);
  } finally {
    heard.abort();
  }
}

/**
 * The master as it ships, with its data in `directory`, and its log beside them. With
 * PANDAFUZZ_GRPC_FAST_PATH=off in the environment, every figure is of the plain way.
 */
export function startMaster(
  directory: string,
  settings: Record<string, string> = {},
): Promise<ServerProcess> {
  const environment = {
    PANDAFUZZ_GRPC_ADDRESS: '127.0.0.1:0',
    PANDAFUZZ_HTTP_ADDRESS: '127.0.0.1:0',
    PANDAFUZZ_DATA_DIRECTORY: directory,
    PANDAFUZZ_GRPC_FAST_PATH: process.env['PANDAFUZZ_GRPC_FAST_PATH'] ?? 'auto',
    ...settings,
  };
  return ServerProcess.start('./master.js', environment, join(directory, 'log'));
}

/** This process and what it starts from now on make the load. */
export const pinLoad = (): Promise<void> => pin(process.pid, loadCore);

/** All threads of a process to one core; those it starts later go there too. */
async function pin(pid: number, core: number): Promise<void> {
  await promisify(execFile)('taskset', ['--all-tasks', '--cpu-list', '--pid', `${core}`, `${pid}`]);
}
