import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Servers on one core, the load on the other: what is measured is the server. */

const serverCore = 0;
const loadCore = 1;
const ghz = resolve('.tools/bin/ghz');
const protoset = resolve('src/gen/descriptors/pandafuzz.binpb');

/** From a server's process: where it listens, or an answer to "memory". */
export type Told =
  | { readonly address: string }
  | { readonly heapBytes: number; readonly rssBytes: number };

/** A server in a process of its own, on a core of its own. */
export class ServerProcess {
  private constructor(
    readonly address: string,
    readonly pid: number,
    private readonly child: ChildProcess,
  ) {}

  /** `script`: relative to bench/. */
  static async start(
    script: string,
    environment: Record<string, string> = {},
  ): Promise<ServerProcess> {
    const child = fork(fileURLToPath(new URL(script, import.meta.url)), [], {
      execArgv: ['--expose-gc'],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    });
    const [{ address }] = (await once(child, 'message')) as [{ address: string }];
    const pid = child.pid as number;
    await pin(pid, serverCore);
    return new ServerProcess(address, pid, child);
  }

  async memory(): Promise<{ heapBytes: number; rssBytes: number }> {
    this.child.send('memory');
    return (await once(this.child, 'message'))[0];
  }

  /** CPU seconds of all its threads since it was started. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  async stop(): Promise<void> {
    this.child.send('stop');
    await once(this.child, 'exit');
  }
}

/** The master as it ships, with its data in `directory`. */
export function startMaster(
  directory: string,
  settings: Record<string, string> = {},
): Promise<ServerProcess> {
  return ServerProcess.start('./master.js', {
    PANDAFUZZ_GRPC_ADDRESS: '127.0.0.1:0',
    PANDAFUZZ_HTTP_ADDRESS: '127.0.0.1:0',
    PANDAFUZZ_DATA_DIRECTORY: directory,
    ...settings,
  });
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
