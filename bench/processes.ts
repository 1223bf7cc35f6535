import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Percentiles } from './latencies.js';

/** Servers on one core, the load on the other: what is measured is the server. */

const serverCore = 0;
const loadCore = 1;
const ghz = resolve('.tools/bin/ghz');
const protoset = resolve('src/gen/descriptors/pandafuzz.binpb');

/** What a server can be asked; "watch loop" has no answer, and only the master knows of loops. */
export type Ask = 'memory' | 'watch loop' | 'loop delay' | 'stop';

interface Addresses {
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
      execArgv: ['--expose-gc'],
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
  watchLoop(): void {
    if (this.http !== undefined) this.child.send('watch loop' satisfies Ask);
  }

  /** How late timers of its main thread fired since `watchLoop`; a baseline does not know. */
  async loopDelay(): Promise<Percentiles | undefined> {
    if (this.http === undefined) return undefined;
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

/** The master as it ships, with its data in `directory`, and its log beside them. */
export function startMaster(
  directory: string,
  settings: Record<string, string> = {},
): Promise<ServerProcess> {
  const environment = {
    PANDAFUZZ_GRPC_ADDRESS: '127.0.0.1:0',
    PANDAFUZZ_HTTP_ADDRESS: '127.0.0.1:0',
    PANDAFUZZ_DATA_DIRECTORY: directory,
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

export interface GhzRun {
  readonly okPerSecond: number;
  readonly codes: Readonly<Record<string, number>>;
  readonly p99Ms: number;
}

/** Runs ghz to its end. @throws Error that says how to bring it, where it is missing */
export async function runGhz(options: {
  address: string;
  /** As in "pandafuzz.v1.JobService/GetJob". */
  call: string;
  data: object | string;
  concurrency: number;
  seconds: number;
  more?: readonly string[];
}): Promise<GhzRun> {
  if (!existsSync(ghz)) throw new Error('ghz is missing: "make bench" brings it where Go is there');
  const { address, call, data, concurrency, seconds, more = [] } = options;
  const args = [
    ...['--insecure', '--protoset', protoset, '--call', call, '--format', 'json'],
    ...['--concurrency', `${concurrency}`, '--connections', `${Math.min(concurrency, 8)}`],
    // By default ghz reads every call as a template anew, and is what is measured.
    ...['--disable-template-functions', '--disable-template-data'],
    ...['--duration', `${seconds}s`, '--duration-stop', 'wait', ...more],
    ...['--data', typeof data === 'string' ? data : JSON.stringify(data), address],
  ];
  const { stdout } = await promisify(execFile)(ghz, args, { maxBuffer: 2 ** 30 });
  const told = JSON.parse(stdout);
  const codes: Record<string, number> = told.statusCodeDistribution ?? {};
  const tail = (told.latencyDistribution ?? []).find(
    (one: { percentage: number }) => one.percentage === 99,
  );
  return {
    okPerSecond: (codes['OK'] ?? 0) / (told.total / 1e9),
    codes,
    p99Ms: (tail?.latency ?? 0) / 1e6,
  };
}
